"""The image and the containers of the action: built in how long, how large, and how soon the first model is loaded.

Needs Docker and debian:bookworm-slim, which script/setup-engine gives. The bars are those of the action: an image under
250 MB, built in under 2 minutes on two cores, and a first case in under 3 s more than its TensorFlow takes to import.
"""

from __future__ import annotations

import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parents[2]
TAG = "loadgate-bench"
RUNS = 5
SPEC = 'version: 1\nruntimes:\n  serving: {python: "3.11", tensorflow: "2.15.1"}\nremedies: {try: false}\n'
MODEL = "models/churn/churn_2019.h5"
WALL = ("--rm", "--read-only", "--tmpfs", "/tmp", "--cap-drop", "ALL", "--security-opt", "no-new-privileges")  # noqa: S108 - in the container
IMPORT = "import time; begun = time.monotonic(); import tensorflow; print(time.monotonic() - begun)"


def docker(*arguments: str) -> str:
    return subprocess.run(["docker", *arguments], capture_output=True, text=True, check=True).stdout.strip()


def build() -> None:
    begun = time.monotonic()
    docker("build", "--quiet", "--no-cache", "--tag", TAG, str(ROOT))
    seconds = time.monotonic() - begun
    size = int(docker("image", "inspect", "--format", "{{.Size}}", TAG))
    print(f"built in {seconds:.0f} s, {size / 1e6:.0f} MB")


def first_case(folder: Path, load: Sequence[str]) -> float:
    """Seconds from `docker run` to the first line of the results."""
    results = folder / "out/results.jsonl"
    results.unlink(missing_ok=True)
    begun = time.monotonic()
    process = subprocess.Popen(["docker", *load], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while not (results.exists() and results.stat().st_size) and process.poll() is None:
        time.sleep(0.005)
    seconds = time.monotonic() - begun
    process.wait()
    return seconds


def main() -> None:
    build()
    with tempfile.TemporaryDirectory(dir="/var/tmp", ignore_cleanup_errors=True) as scratch:
        folder = Path(scratch)
        for name in ("out", "cache"):
            (folder / name).mkdir()
            (folder / name).chmod(0o777)
        folder.chmod(0o755)
        (folder / "repository" / MODEL).parent.mkdir(parents=True)
        shutil.copy(ROOT / "examples" / MODEL, folder / "repository" / MODEL)
        (folder / "repository/loadgate.yml").write_text(SPEC)
        out = ("--volume", f"{folder}/out:/out", "--volume", f"{folder}/repository:/repository:ro")
        cache = ("--volume", f"{folder}/cache:/cache")
        docker("run", *WALL, *out, TAG, "plan", "--output", "/out/plan.json")
        begun = time.monotonic()
        docker("run", *WALL, *out, *cache, TAG, "provision", "--plan", "/out/plan.json", "--output", "/out/locks.json")
        print(f"made the runtime in {time.monotonic() - begun:.0f} s")
        interpreter = next((folder / "cache/runtimes").glob("*/bin/python"))
        inside = str(interpreter).replace(f"{folder}/cache", "/cache")
        walled = ("run", *WALL, "--init", "--network", "none", *out, *cache)
        load = (*walled, TAG, "load", "--plan", "/out/plan.json", "--locks", "/out/locks.json")
        importing, loading = [], []
        for _ in range(RUNS):
            importing.append(float(docker(*walled, "--entrypoint", inside, TAG, "-c", IMPORT)))
            loading.append(first_case(folder, (*load, "--output", "/out/results.jsonl")))
        alone, whole = statistics.median(importing), statistics.median(loading)
        print(f"importing TensorFlow 2.15.1 {alone:.2f} s, first case {whole:.2f} s: {whole - alone:.2f} s more")
    docker("image", "rm", TAG)


if __name__ == "__main__":
    main()
