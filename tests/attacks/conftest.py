from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from loadgate.domain import Lock
from tests.attacks.canaries import OUTLIVING, Canaries, end_named, planted
from tests.attacks.ground import HERE, Ground, save_private


@pytest.fixture(scope="package")
def ground(serving: Lock, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    root = tmp_path_factory.mktemp("attacks")
    packages = Path(serving.interpreter).parent.parent / "lib/python3.11/site-packages"
    own = root / "runtime"
    (own / "bin").mkdir(parents=True)
    (own / "bin/python").symlink_to(os.path.realpath(serving.interpreter))
    home = Path(os.path.realpath(serving.interpreter)).parent
    (own / "pyvenv.cfg").write_text(f"home = {home}\ninclude-system-site-packages = false\n")
    (own / "lib/python3.11/site-packages").mkdir(parents=True)
    (own / "lib/python3.11/site-packages/real.pth").write_text(f"{packages}\n")
    made = Ground(root, own / "bin/python")
    made.models.mkdir(parents=True)
    with planted(Canaries(root)) as canaries:
        save_private(made.interpreter, canaries)
        targets = root / "targets.json"
        targets.write_text(json.dumps(canaries.fixed()))
        subprocess.run(
            [made.interpreter, HERE / "save_attacks.py", made.models, targets],
            check=True,
            timeout=600,
            env={"PATH": "/usr/bin:/bin", "TF_CPP_MIN_LOG_LEVEL": "2", "CUDA_VISIBLE_DEVICES": "-1"},
        )
    yield made
    for name in OUTLIVING:
        end_named(name)
