"""The workflow steps that check out a repository without its Git LFS files: where a pointer's remedy is written."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import yaml

from loadgate.domain import Origin
from loadgate.mistakes import Mistakes
from loadgate.repository import UnusableFileError, find_files, read_text
from loadgate.yaml_nodes import compose, kind, position

FOLDER = ".github/workflows/"
MOST_WORKFLOWS = 200
MOST_STEPS = 20


def checkouts_without_lfs(root: Path) -> tuple[Origin, ...]:
    """The lines of `actions/checkout` steps that leave Git LFS out, those of jobs that run loadgate first."""
    files = [name for name in find_files(root, ("*.yml", "*.yaml")) if name.startswith(FOLDER)]
    found = [step for name in files[:MOST_WORKFLOWS] for step in _of_workflow(root, name)]
    return tuple(origin for _, origin in sorted(found, key=lambda step: not step[0]))[:MOST_STEPS]


def _of_workflow(root: Path, name: str) -> Iterator[tuple[bool, Origin]]:
    """Whether the step's job runs loadgate, and where the step is. A workflow that cannot be read has none."""
    try:
        workflow = compose(read_text(root, name), name)
    except (Mistakes, UnusableFileError):
        return
    jobs = _entries(_entries(workflow).get("jobs"))
    for job in jobs.values():
        steps = _items(_entries(job).get("steps"))
        runs_loadgate = any("loadgate" in _text(_entries(step).get(key)) for step in steps for key in ("uses", "run"))
        for step in steps:
            uses = _entries(step).get("uses")
            if uses is None or not _text(uses).startswith("actions/checkout@"):
                continue
            lfs = _entries(_entries(step).get("with")).get("lfs")
            if _text(lfs).lower() != "true":
                yield runs_loadgate, Origin(file=name, line=position(lfs or uses)[0])


def _entries(node: yaml.Node | None) -> dict[str, yaml.Node]:
    if not isinstance(node, yaml.MappingNode) or kind(node) != "mapping":
        return {}
    return {key.value: value for key, value in node.value if isinstance(key, yaml.ScalarNode)}


def _items(node: yaml.Node | None) -> list[yaml.Node]:
    return node.value if isinstance(node, yaml.SequenceNode) and kind(node) == "list" else []


def _text(node: yaml.Node | None) -> str:
    return node.value if isinstance(node, yaml.ScalarNode) else ""
