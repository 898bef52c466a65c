"""An index that does not do what an index does: an honest error, and a good answer the next time heals."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from .world import VERDICTS, World

pytestmark = pytest.mark.slow

PAGE, WHEEL = re.compile(r"/$"), re.compile(r"/tensorflow-9.*\.whl")


@dataclass
class Index:
    """The tiny index behind HTTP. What `answer` does to a request is done instead of serving it; False serves it."""

    url: str
    answer: Callable[[SimpleHTTPRequestHandler], bool] = field(default=lambda _request: False)
    released: threading.Event = field(default_factory=threading.Event)


@pytest.fixture
def index(world: World, tmp_path: Path) -> Iterator[Index]:
    index = Index("")

    class Handler(SimpleHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: object) -> None:
            pass

        def do_GET(self) -> None:
            if not index.answer(self):
                super().do_GET()

        def do_HEAD(self) -> None:
            if not index.answer(self):
                super().do_HEAD()

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(world.index.folder)))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    index.url = f"http://127.0.0.1:{server.server_port}/"
    world.env.update(
        UV_DEFAULT_INDEX=index.url, UV_CACHE_DIR=str(tmp_path / "uv"), UV_HTTP_TIMEOUT="1", UV_HTTP_RETRIES="0"
    )
    yield index
    index.released.set()
    server.shutdown()
    server.server_close()
    thread.join()


DAMAGED = "A package that was downloaded is damaged."

Answer = Callable[[Index, SimpleHTTPRequestHandler], bool]


def status(code: int, where: re.Pattern[str]) -> Answer:
    def answer(_index: Index, request: SimpleHTTPRequestHandler) -> bool:
        if not where.search(request.path):
            return False
        request.send_response(code)
        request.send_header("Content-Length", "0")
        request.end_headers()
        return True

    return answer


def silence(where: re.Pattern[str]) -> Answer:
    """It takes the request and says nothing for as long as the test lasts."""

    def answer(index: Index, request: SimpleHTTPRequestHandler) -> bool:
        if not where.search(request.path):
            return False
        index.released.wait()
        request.close_connection = True
        return True

    return answer


PIECES = 40
PAUSE = 0.05
"""Seconds between the pieces: together longer than uv waits for an answer, and each of them shorter."""


def trickle(where: re.Pattern[str]) -> Answer:
    def answer(index: Index, request: SimpleHTTPRequestHandler) -> bool:
        if not where.search(request.path) or request.command != "GET":
            return False
        content = Path(request.translate_path(request.path)).read_bytes()
        request.send_response(200)
        request.send_header("Content-Length", str(len(content)))
        request.end_headers()
        size = -(-len(content) // PIECES)
        for start in range(0, len(content), size):
            request.wfile.write(content[start : start + size])
            index.released.wait(PAUSE)
        return True

    return answer


def body(change: Callable[[bytes], bytes], where: re.Pattern[str]) -> Answer:
    def answer(_index: Index, request: SimpleHTTPRequestHandler) -> bool:
        if not where.search(request.path):
            return False
        path = Path(request.translate_path(request.path))
        content = change((path / "index.html" if path.is_dir() else path).read_bytes())
        request.send_response(200)
        request.send_header("Content-Length", str(len(content)))
        request.send_header("Content-Type", "text/html" if path.is_dir() else "application/octet-stream")
        request.end_headers()
        if request.command == "GET":
            request.wfile.write(content)
        return True

    return answer


def with_wrong_hash(page: bytes) -> bytes:
    return page.replace(b'.whl">', b".whl#sha256=" + b"0" * 64 + b'">')


def with_a_wrong_byte(wheel: bytes) -> bytes:
    middle = wheel.index(b"VERSION")
    return wheel[:middle] + b"X" + wheel[middle + 1 :]


FAULTS: dict[str, tuple[Answer, int, str]] = {
    "an index of nothing": (status(404, re.compile("")), 2, "There is no package tensorflow."),
    "a wheel that is gone": (status(404, WHEEL), 3, "The package index does not have a file that it lists."),
    "an index that fails": (status(500, PAGE), 3, "The package index could not be reached."),
    "a wheel that fails": (status(500, WHEEL), 3, "The package index could not be reached."),
    "an index that never answers": (silence(PAGE), 3, "The package index could not be reached."),
    "a wheel that never comes": (silence(WHEEL), 3, "The package index could not be reached."),
    "a wheel of half its length": (body(lambda wheel: wheel[: len(wheel) // 2], WHEEL), 3, DAMAGED),
    "a wheel with a wrong byte": (body(with_a_wrong_byte, WHEEL), 3, DAMAGED),
    "a wheel that is a page": (body(lambda _: b"<!doctype html>Sign in", WHEEL), 3, DAMAGED),
    "a page that is none": (body(lambda _: b"\0" * 100, PAGE), 2, "There is no such version: tensorflow==9.1."),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_an_index_that_fails_is_named_and_the_next_run_heals(world: World, index: Index, fault: str) -> None:
    answer, expected, headline = FAULTS[fault]
    index.answer = partial(answer, index)
    failed = world.check("--no-remedies")
    assert "Traceback" not in failed.err
    assert failed.status == expected, failed
    assert headline in failed.err, failed.err
    index.answer = lambda _request: False
    healed = world.check("--no-remedies")
    assert healed.status == 1, healed
    assert world.verdicts() == VERDICTS


def test_an_index_that_is_slow_and_comes_to_its_end_changes_no_verdict(world: World, index: Index) -> None:
    index.answer = partial(trickle(WHEEL), index)
    ended = world.check("--no-remedies")
    assert ended.status == 1, ended
    assert world.verdicts() == VERDICTS


def test_a_file_that_is_not_what_the_index_says_is_not_installed(world: World, index: Index) -> None:
    index.answer = partial(body(with_wrong_hash, re.compile(r"/(tensorflow|keras)/$")), index)
    failed = world.check("--no-remedies")
    assert failed.status == 3, failed
    assert "hash" in failed.err
