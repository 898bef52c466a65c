"""GitHub's own descriptions, from npm, and Prism, which holds requests and answers to them."""

from __future__ import annotations

import json
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.report.github.description import cut_down

STARTING = 60
"""Seconds that Prism may take."""


@pytest.fixture(scope="session")
def payloads(node_modules: Path) -> Callable[[str], list[dict[str, Any]]]:
    """GitHub's own examples of an event."""
    index = node_modules / "@octokit" / "webhooks-examples" / "api.github.com" / "index.json"
    by_name = {each["name"]: each["examples"] for each in json.loads(index.read_bytes())}
    return lambda name: by_name[name]


@contextmanager
def prism(node_modules: Path, description: Path, upstream: str, folder: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """The address of Prism in front of `upstream`, and the description that it holds every request and answer to."""
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    described = cut_down(description, address)
    file = folder / description.name
    file.write_text(json.dumps(described))
    program = node_modules / "@stoplight" / "prism-cli" / "dist" / "index.js"
    log = (folder / "prism.log").open("wb")
    command = ["node", str(program), "proxy", str(file), upstream, "--errors", "--port", str(port)]
    process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)
    try:
        await_port(port, process)
        yield address, described
    finally:
        process.terminate()
        process.wait()
        log.close()


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


def await_port(port: int, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + STARTING
    while time.monotonic() < end:
        assert process.poll() is None, "Prism ended before it answered"
        with socket.socket() as probe:
            probe.settimeout(1)
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)  # a port cannot be waited for otherwise
    raise AssertionError(f"Prism does not answer after {STARTING} s")
