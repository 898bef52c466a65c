"""GitHub's own OpenAPI description, cut down to the requests that loadgate makes: whole, it takes Prism a minute."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

OPERATIONS = {
    "/user": ["get"],
    "/repos/{owner}/{repo}/issues/{issue_number}/comments": ["get", "post"],
    "/repos/{owner}/{repo}/issues/comments/{comment_id}": ["patch", "delete"],
    "/repos/{owner}/{repo}/commits/{ref}/check-runs": ["get"],
    "/repos/{owner}/{repo}/check-runs": ["post"],
    "/repos/{owner}/{repo}/check-runs/{check_run_id}": ["patch"],
    "/repos/{owner}/{repo}/check-runs/{check_run_id}/annotations": ["get"],
    "/repos/{owner}/{repo}/pulls": ["get"],
    "/repos/{owner}/{repo}/pulls/{pull_number}/files": ["get"],
    "/repos/{owner}/{repo}/pulls/{pull_number}/comments": ["get", "post"],
}


def cut_down(description: Path, server: str) -> dict[str, Any]:
    whole = json.loads(description.read_bytes())
    paths = {
        path: {key: value for key, value in whole["paths"][path].items() if key in (*methods, "parameters")}
        for path, methods in OPERATIONS.items()
    }
    kept: dict[str, Any] = {
        "openapi": whole["openapi"],
        "info": whole["info"],
        "servers": [{"url": server}],
        "paths": paths,
        "components": {},
    }
    wanted = list(_references(paths))
    while wanted:
        _, _, kind, name = wanted.pop().split("/", 3)
        place = kept["components"].setdefault(kind, {})
        if name not in place:
            place[name] = whole["components"][kind][name]
            wanted += _references(place[name])
    return kept


def example(description: dict[str, Any], path: str, method: str, status: str) -> Any:
    """GitHub's own example of an answer, its references followed."""
    content = description["paths"][path][method]["responses"][status]["content"]["application/json"]
    found = next(iter(content["examples"].values())) if "examples" in content else content["example"]
    while "$ref" in found:
        _, _, kind, name = found["$ref"].split("/", 3)
        found = description["components"][kind][name]
    return found.get("value", found)


def _references(value: Any) -> list[str]:
    if isinstance(value, dict):
        own = [value["$ref"]] if isinstance(value.get("$ref"), str) else []
        return own + [each for item in value.values() for each in _references(item)]
    if isinstance(value, list):
        return [each for item in value for each in _references(item)]
    return []
