"""What stands between a container of an image and other users of this machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from loadgate.domain import Lock
from loadgate.runtimes.image import opened

LOCK = Lock(
    digest="",
    interpreter="python3",
    python="",
    implementation="",
    packages={},
    tensorflow="",
    image=f"sha256:{64 * 'a'}",
)


def test_other_users_of_this_machine_cannot_pass_to_the_door_of_a_container(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = tmp_path / "docker"
    engine.write_text("#!/bin/sh\n")
    engine.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    with opened(LOCK, tmp_path, gpu=False) as door:
        assert door.parent.is_dir()
        assert door.parent.parent.stat().st_mode & 0o077 == 0
