"""Init: write down what would be inferred, so that a person can change it."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

from loadgate.errors import UsageError
from loadgate.places import is_folder, status_of


def init(root: Path, *, force: bool = False) -> str:
    """Write `loadgate.yml` into `root`; one line that says what is in it."""
    from loadgate.infer import infer_spec, refuse_undecided
    from loadgate.init_template import render
    from loadgate.phases.scope import scoped
    from loadgate.sandbox.finding import discover_apart

    if not is_folder(root):
        raise UsageError(f"{root}: no such directory; give the path of a repository")
    file = root / "loadgate.yml"
    if (status_of(file) is not None or file.is_symlink()) and not force:
        raise UsageError(f"{file}: exists already; `--force` replaces it")
    spec = infer_spec(root, (sys.version_info.major, sys.version_info.minor))
    refuse_undecided(spec)
    spec = replace(spec, runtimes=scoped(spec, [each.path for each in discover_apart(root)]))
    try:
        if file.is_symlink():  # that is what is replaced, not what it leads to
            file.unlink()
        file.write_text(render(spec), encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{file}: cannot be written: {error.strerror}") from error
    names = ", ".join(runtime.name for runtime in spec.runtimes)
    return f"{file}: written, with runtime {names}. Try `loadgate check`."
