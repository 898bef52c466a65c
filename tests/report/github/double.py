"""A GitHub of our own on the loopback: what it is told it remembers, page by page, and it fails when it is told to."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.report.github.description import example

REPOSITORY = "octo-org/octo-repo"
ACTIONS = "github-actions[bot]"
Json = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Fault:
    """What happens to a request in place of an answer, or instead of letting it be known."""

    status: int = 0
    message: str = "No"
    headers: Mapping[str, str] = field(default_factory=dict)
    cut: bool = False
    """The connection is closed without an answer."""
    silent: bool = False
    """Nothing is answered for as long as the connection is open."""
    after: bool = False
    """The request is carried out all the same, and only its answer is lost."""


@dataclass
class GitHub:
    """The state of one repository, and every request that was made."""

    login: str | None = None
    author: str = ACTIONS
    description: Json | None = None
    """Whose examples every answer is filled up with."""
    comments: list[Json] = field(default_factory=list)
    check_runs: list[Json] = field(default_factory=list)
    annotations: dict[int, list[Json]] = field(default_factory=dict)
    review_comments: list[Json] = field(default_factory=list)
    pulls: list[Json] = field(default_factory=list)
    files: list[Json] = field(default_factory=list)
    refused_paths: set[str] = field(default_factory=set)
    """Annotations on these are answered 422."""
    faults: dict[int, Fault] = field(default_factory=dict)
    """Number of a request, from 1 → what happens to it."""
    always: Callable[[str, str], Fault | None] = lambda _method, _path: None
    before: Callable[[str, str], None] = lambda _method, _path: None
    """Called before each request is carried out: somebody else at the same time."""
    requests: list[tuple[str, str]] = field(default_factory=list)
    url: str = ""
    lock: threading.RLock = field(default_factory=threading.RLock)
    _next_id: int = 100

    def new_id(self) -> int:
        self._next_id += 1
        return self._next_id

    def add_comment(self, body: str, author: str = ACTIONS) -> Json:
        comment = {"id": self.new_id(), "body": body, "user": {"login": author}}
        self.comments.append(comment)
        return comment

    def annotate(self, check_run: int, annotations: list[Json]) -> None:
        if len(annotations) > 50:
            raise Refused(422, "Only 50 annotations are allowed per request")
        if any(each["path"] in self.refused_paths for each in annotations):
            raise Refused(422, "Invalid annotation")
        self.annotations.setdefault(check_run, []).extend(annotations)

    # --- answers ----------------------------------------------------------------------------------------------

    def filled(self, path: str, method: str, status: str, own: Json) -> Json:
        """GitHub's own example with our own values in it."""
        if self.description is None:
            return own
        found = deepcopy(example(self.description, path, method, status))
        base = found[0] if isinstance(found, list) else found
        for key in ("check_runs",):
            base = base[key][0] if isinstance(base, dict) and key in base else base
        return merged(base, own)

    def answer(self, method: str, path: str, query: Mapping[str, str], body: Json) -> tuple[int, Any, list[Any] | None]:
        """Status, content, and the whole list where the content is a page of it."""
        for operation, pattern, handler in ROUTES:
            match = re.fullmatch(pattern, path)
            if operation == method and match:
                return handler(self, match.groups(), query, body)
        raise Refused(404, "Not Found")


class Refused(Exception):
    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


def merged(base: Json, own: Json) -> Json:
    result = dict(base)
    for key, value in own.items():
        nested = isinstance(value, dict) and isinstance(base.get(key), dict)
        result[key] = merged(base[key], value) if nested else value
    return result


Answer = tuple[int, Any, list[Any] | None]
Groups = tuple[str | Any, ...]
COMMENTS = "/repos/{owner}/{repo}/issues/{issue_number}/comments"
COMMENT = "/repos/{owner}/{repo}/issues/comments/{comment_id}"
CHECK_RUNS = "/repos/{owner}/{repo}/check-runs"
PULLS = "/repos/{owner}/{repo}/pulls"


def user(state: GitHub, _groups: Groups, _query: Mapping[str, str], _body: Json) -> Answer:
    if state.login is None:
        raise Refused(403, "Resource not accessible by integration")
    return 200, state.filled("/user", "get", "200", {"login": state.login}), None


def list_comments(state: GitHub, _groups: Groups, _query: Mapping[str, str], _body: Json) -> Answer:
    return 200, None, [state.filled(COMMENTS, "get", "200", each) for each in state.comments]


def create_comment(state: GitHub, _groups: Groups, _query: Mapping[str, str], body: Json) -> Answer:
    if len(body["body"]) > 65_536:
        raise Refused(422, "Body is too long (maximum is 65536 characters)")
    return 201, state.filled(COMMENTS, "post", "201", state.add_comment(body["body"], state.author)), None


def edit_comment(state: GitHub, groups: Groups, _query: Mapping[str, str], body: Json) -> Answer:
    comment = found(state.comments, groups[-1])
    comment["body"] = body["body"]
    return 200, state.filled(COMMENT, "patch", "200", comment), None


def delete_comment(state: GitHub, groups: Groups, _query: Mapping[str, str], _body: Json) -> Answer:
    state.comments.remove(found(state.comments, groups[-1]))
    return 204, None, None


def list_check_runs(state: GitHub, groups: Groups, query: Mapping[str, str], _body: Json) -> Answer:
    path = "/repos/{owner}/{repo}/commits/{ref}/check-runs"
    runs = [each for each in state.check_runs if (each["head_sha"], each["name"]) == (groups[-1], query["check_name"])]
    latest = runs[-1:] if query.get("filter", "latest") == "latest" else runs
    return 200, "check_runs", [state.filled(path, "get", "200", without_annotations(each)) for each in latest]


def create_check_run(state: GitHub, _groups: Groups, _query: Mapping[str, str], body: Json) -> Answer:
    identity = state.new_id()
    output = body.get("output", {})
    state.annotate(identity, output.get("annotations", []))
    app = {"slug": state.author.removesuffix("[bot]")}
    run = {**body, "id": identity, "html_url": f"https://github.com/checks/{identity}", "app": app}
    state.check_runs.append(run)
    return 201, state.filled(CHECK_RUNS, "post", "201", without_annotations(run)), None


def update_check_run(state: GitHub, groups: Groups, _query: Mapping[str, str], body: Json) -> Answer:
    run = found(state.check_runs, groups[-1])
    state.annotate(run["id"], body.get("output", {}).get("annotations", []))
    run.update(body)
    path = "/repos/{owner}/{repo}/check-runs/{check_run_id}"
    return 200, state.filled(path, "patch", "200", without_annotations(run)), None


def without_annotations(run: Json) -> Json:
    output = run.get("output", {})
    kept = {key: output[key] for key in ("title", "summary") if key in output}
    return {**run, "output": kept}


def list_annotations(state: GitHub, groups: Groups, _query: Mapping[str, str], _body: Json) -> Answer:
    path = "/repos/{owner}/{repo}/check-runs/{check_run_id}/annotations"
    return 200, None, [state.filled(path, "get", "200", each) for each in state.annotations.get(int(groups[-1]), [])]


def list_pulls(state: GitHub, _groups: Groups, query: Mapping[str, str], _body: Json) -> Answer:
    pulls = [each for each in state.pulls if each["head"]["label"] == query.get("head")]
    teams: Json = {"requested_teams": []}  # those of GitHub's example lack what its schema asks for
    return 200, None, [state.filled(PULLS, "get", "200", each | teams) for each in pulls]


def list_files(state: GitHub, _groups: Groups, _query: Mapping[str, str], _body: Json) -> Answer:
    path = "/repos/{owner}/{repo}/pulls/{pull_number}/files"
    return 200, None, [state.filled(path, "get", "200", each) for each in state.files]


def list_review_comments(state: GitHub, _groups: Groups, _query: Mapping[str, str], _body: Json) -> Answer:
    path = "/repos/{owner}/{repo}/pulls/{pull_number}/comments"
    return 200, None, [state.filled(path, "get", "200", each) for each in state.review_comments]


def create_review_comment(state: GitHub, _groups: Groups, _query: Mapping[str, str], body: Json) -> Answer:
    comment = {**body, "id": state.new_id(), "user": {"login": state.author}}
    state.review_comments.append(comment)
    path = "/repos/{owner}/{repo}/pulls/{pull_number}/comments"
    return 201, state.filled(path, "post", "201", comment), None


def found(items: list[Json], identity: str) -> Json:
    item = next((each for each in items if each["id"] == int(identity)), None)
    if item is None:
        raise Refused(404, "Not Found")
    return item


R = "/repos/[^/]+/[^/]+"
Handler = Callable[[GitHub, Groups, Mapping[str, str], Json], Answer]
ROUTES: list[tuple[str, str, Handler]] = [
    ("GET", "/user", user),
    ("GET", f"{R}/issues/(\\d+)/comments", list_comments),
    ("POST", f"{R}/issues/(\\d+)/comments", create_comment),
    ("PATCH", f"{R}/issues/comments/(\\d+)", edit_comment),
    ("DELETE", f"{R}/issues/comments/(\\d+)", delete_comment),
    ("GET", f"{R}/commits/([0-9a-f]+)/check-runs", list_check_runs),
    ("POST", f"{R}/check-runs", create_check_run),
    ("PATCH", f"{R}/check-runs/(\\d+)", update_check_run),
    ("GET", f"{R}/check-runs/(\\d+)/annotations", list_annotations),
    ("GET", f"{R}/pulls", list_pulls),
    ("GET", f"{R}/pulls/(\\d+)/files", list_files),
    ("GET", f"{R}/pulls/(\\d+)/comments", list_review_comments),
    ("POST", f"{R}/pulls/(\\d+)/comments", create_review_comment),
]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # head and body in one packet, or each answer waits for the other side's acknowledgement
    disable_nagle_algorithm = True
    state: GitHub

    def handle_one(self) -> None:
        state, parts = self.state, urlsplit(self.path)
        length = int(self.headers.get("Content-Length") or 0)
        body = json.loads(self.rfile.read(length) or b"{}")
        with state.lock:
            state.requests.append((self.command, parts.path))
            fault = state.faults.get(len(state.requests)) or state.always(self.command, parts.path)
        if fault and not fault.after:
            self.fail(fault)
            return
        query = {key: values[0] for key, values in parse_qs(parts.query).items()}
        state.before(self.command, parts.path)
        try:
            with state.lock:
                status, content, listed = state.answer(self.command, parts.path, query, body)
        except Refused as refused:
            self.send(refused.status, {"message": str(refused), "documentation_url": "https://docs.github.com/rest"})
            return
        if fault:
            self.fail(fault)
            return
        headers = {}
        if listed is not None:
            size, page = int(query.get("per_page", 30)), int(query.get("page", 1))
            shown = listed[(page - 1) * size : page * size]
            content = {"total_count": len(listed), content: shown} if content else shown
            if page * size < len(listed):
                rest = "&".join(f"{key}={value}" for key, value in query.items() if key != "page")
                headers["Link"] = f'<{state.url}{parts.path}?{rest}&page={page + 1}>; rel="next"'
        self.send(status, content, headers)

    def fail(self, fault: Fault) -> None:
        if fault.silent:
            self.connection.recv(1)  # which ends when whoever asked has gone
            self.close_connection = True
            return
        if fault.cut:
            self.close_connection = True
            return
        self.send(fault.status, {"message": fault.message}, fault.headers)

    def send(self, status: int, content: Any, headers: Mapping[str, str] | None = None) -> None:
        encoded = b"" if content is None else json.dumps(content).encode()
        self.send_response(status)
        for key, value in (headers or {}).items():
            self.send_header(key, value)
        if status != 204:
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(encoded)))
        self.end_headers()
        self.wfile.write(encoded)

    do_GET = do_POST = do_PATCH = do_DELETE = handle_one  # noqa: N815 - as http.server wants them

    def log_message(self, *_arguments: object) -> None:
        pass


@contextmanager
def served(state: GitHub, address: str = "127.0.0.1") -> Iterator[GitHub]:
    handler = type("Handler", (_Handler,), {"state": state})
    server = ThreadingHTTPServer((address, 0), handler)
    server.daemon_threads = True
    state.url = f"http://{address}:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
