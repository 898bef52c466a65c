"""The exact lines of the user's own files that a change of a runtime comes to. Pure, over the files' text."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import PurePosixPath

from packaging.specifiers import SpecifierSet

from loadgate.declared import TENSORFLOW_NAMES, is_dockerfile
from loadgate.diagnosis import new_spec
from loadgate.diagnosis.change import Change, name_of, parse
from loadgate.diagnosis.draft import Draft, Sources
from loadgate.diagnosis.releases import requirements_for
from loadgate.diagnosis.respelling import respelled
from loadgate.diagnosis.spec_block import Block
from loadgate.domain import Edit, Format, Loader, Lock, Requirement, Runtime
from loadgate.runtimes.supported_pythons import support_of
from loadgate.yaml_text import quoted

TAG = re.compile(r"((?:^|/)tensorflow:)\d+(?:\.\d+)+")
"""Of TensorFlow's own images, and of what is named after them: its release."""
HASH = re.compile(r"\s*--hash=|[^#\n]*\s--hash=")
VERSIONS = r"""[<>=!~]=?=?[^"',;#\s]*(?:,\s*[<>=!~]=?[^"',;#\s]*)*"""


def edits_of(change: Change, base: Runtime, after: Runtime, sources: Sources) -> tuple[Edit, ...]:
    """What to change where. A pin that has to give way is an edit without `new`: see `finished`.

    Nothing where no line can tell the whole of it: half a change is one that nobody tried.
    """
    if not _can_be_told(change, base) or (change.needs_environment and _has_hashes(base, sources)):
        return ()
    draft = Draft(sources)
    block = Block.of(base, draft)
    if block is not None:
        _change_keys(block, change, base)
    if not _change_lines(draft, base, after):
        return ()
    is_other_image = is_inferred(base) and _change_base_image(draft, change, base)
    _add_packages(draft, block, change, base)
    if is_inferred(base) and _needs_spec(change, base, is_other_image=is_other_image):
        text = new_spec.of_runtimes(_declared(each, base, after) for each in sources.runtimes)
        if text is None:
            return ()
        _add_to_spec(draft, text)
    return draft.edits()


def loader_edits(
    loader: Loader, path: str, all_of_format: Format | None, base: Runtime, sources: Sources
) -> tuple[Edit, ...]:
    """For the artifact at `path` alone; where the runtime is declared, for `all_of_format` in it if that is given."""
    draft = Draft(sources)
    block = Block.of(base, draft)
    spec_file = block.file if block else sources.spec_file
    if block is None and not is_inferred(base):
        return ()
    if block is not None and all_of_format is not None:
        block.put_into("loader", all_of_format.value, loader.value)
    elif (artifacts := Block.at_top("artifacts", spec_file, draft)) is not None:
        artifacts.put_into("loader", quoted(path), loader.value)
    else:
        _add_to_spec(draft, new_spec.of_loader(path, loader))
    return draft.edits()


def is_inferred(runtime: Runtime) -> bool:
    return not runtime.key_lines


def _needs_spec(change: Change, base: Runtime, *, is_other_image: bool) -> bool:
    """Whether a spec alone can say a part of the change, where none has said anything of the runtime."""
    names_tensorflow = tensorflow_line(base) is not None or is_other_image
    told_in_file = is_locked(base) or _listed(base) is not None
    of_packages = change.keras or change.packages or (change.tensorflow and not names_tensorflow)
    python = change.python and not _is_chosen_anyway(change.python, change, base)
    return bool(python or change.env or change.imports or (of_packages and not told_in_file))


def _is_chosen_anyway(python: str, change: Change, base: Runtime) -> bool:
    """Where no file says which, the newest is taken that the TensorFlow has builds for."""
    newest = support_of(SpecifierSet(f"=={change.tensorflow}")).pythons()[0] if change.tensorflow else None
    return base.python is None and python == newest


def is_locked(runtime: Runtime) -> bool:
    """Another program writes the file that its packages are in, by a command."""
    return any(name.endswith(".lock") for name in runtime.requirement_files)


def _declared(runtime: Runtime, base: Runtime, after: Runtime) -> Runtime:
    """As a spec would have to declare it; what lines of its own files will say is left to them."""
    if runtime.name != base.name:
        return runtime
    asked = {name_of(line.text) for line in (*base.requirements, *base.constraints)}
    if is_locked(base) or _listed(base) is not None:
        lines = [line for line in after.requirements if line.origin is not None]
        return replace(after, name=base.name, requirements=tuple(lines), keras=base.keras)
    new = [line for line in after.requirements if line.origin is not None or name_of(line.text) not in asked]
    kept = new if base.requirement_files else after.requirements
    return replace(after, name=base.name, requirements=tuple(kept))


def _add_to_spec(draft: Draft, text: str) -> None:
    """At the top where there is a spec, and as a new one where there is none."""
    file = draft.sources.spec_file
    version = Block.at_top("version", file, draft)
    if version is not None:
        draft.change(version.file, version.first, f"{draft.text(version.file, version.first)}\n{text}")
    elif file is None:
        draft.add(new_spec.FILE, f"version: 1\n{text}")


def finished(edits: Sequence[Edit], lock: Lock) -> tuple[Edit, ...]:
    """With the versions that the runtime really got, where a pin had to give way; without those that did not."""
    return tuple(edit for each in edits if (edit := _finished(each, lock)) is not None)


def _finished(edit: Edit, lock: Lock) -> Edit | None:
    parsed = parse(_bare(edit.old or ""))
    if edit.new or parsed is None or not parsed.specifier:
        return edit
    version = lock.packages.get(name_of(str(parsed)))
    if version is None:
        return edit
    if parsed.specifier.contains(version, prereleases=True):
        return None
    pinned = re.sub(VERSIONS, f"=={version}", edit.old or "", count=1)
    return Edit(file=edit.file, line=edit.line, old=edit.old, new=pinned)


def _can_be_told(change: Change, base: Runtime) -> bool:
    """Of what exists already: into an interpreter one installs, by a command; an image is replaced by another."""
    if not change.needs_environment:
        return True
    if base.image is not None:
        return _other_image(change, base.image) is not None
    return base.interpreter is None or change.python is None


def _has_hashes(base: Runtime, sources: Sources) -> bool:
    """Whether a program has written down the hashes of its requirements, and must do so again for any other."""
    files = {line.origin.file for line in (*base.requirements, *base.constraints) if line.origin is not None}
    return any(HASH.match(text) for file in files for text in sources.files.get(file, ()))


def _other_image(change: Change, image: str) -> str | None:
    """The one that is the image with the change; None where the names of images do not tell which that would be."""
    release = change.tensorflow
    if release is None or change.python or change.keras or not {*change.packages} <= {*requirements_for(release)}:
        return None
    other = TAG.sub(rf"\g<1>{release}", image)
    return other if other != image and "@" not in image else None


def _change_keys(block: Block, change: Change, base: Runtime) -> None:
    if base.image is not None and (image := _other_image(change, base.image)):
        block.set("image", f'"{image}"')
    elif base.interpreter is None and base.image is None:
        _change_made(block, change, base)
    for name, value in change.env.items():
        block.put_into("env", name, f'"{value}"')
    for module in change.imports:
        block.append("imports", module)


def _change_made(block: Block, change: Change, base: Runtime) -> None:
    if change.python:
        block.set("python", f'"{change.python}"')
    if change.tensorflow and tensorflow_line(base) is None:
        block.set("tensorflow", f'"{change.tensorflow}"')
    if change.keras:
        block.set("keras", f'"{change.keras}"')
    elif change.tensorflow and base.keras:
        block.remove("keras")


def keras_line(version: str) -> str:
    return f"keras=={version}" if version[:1].isdigit() else f"keras{version}"


def tensorflow_line(base: Runtime) -> Requirement | None:
    """The line of the user's that names TensorFlow."""
    if not _has_lines(base):
        return None
    lines = (line for line in base.requirements if name_of(line.text) in TENSORFLOW_NAMES and line.origin)
    return next(lines, None)


def _change_lines(draft: Draft, base: Runtime, after: Runtime) -> bool:
    """The lines that differ, or are gone, in the changed runtime. False where one of them cannot be told."""
    kept = {(line.origin, name_of(line.text)): line.text for line in (*after.requirements, *after.constraints)}
    added = {name_of(line.text): line.text for line in after.requirements if line.origin is None}
    if after.keras and after.keras != base.keras:
        added["keras"] = keras_line(after.keras)
    for line in (*base.requirements, *base.constraints) if _has_lines(base) else ():
        name = name_of(line.text)
        text = kept.get((line.origin, name))
        if line.origin is None or draft.sources.line(line.origin) is None or text == line.text:
            continue
        if line.origin.file.endswith(".lock"):  # see is_locked
            continue
        file, number = line.origin.file, line.origin.line
        lines = draft.lines(file)
        now = text or added.get(name, "")
        if not now and _stands_alone(file, lines[number - 1], name):
            draft.change(file, number, "")
        elif (told := respelled(file, lines, number, line.text, now or name)) is not None:
            draft.change(file, number, told)
        else:
            return False
    return True


def _stands_alone(file: str, line: str, name: str) -> bool:
    """Whether nothing else goes with the line. In a Dockerfile it may be the end of what the line before began."""
    return not is_dockerfile(file) and name_of(_bare(line)) == name


def _bare(line: str) -> str:
    """Without what a list in some file has around each entry."""
    return line.strip().strip("\"',- ")


def _has_lines(base: Runtime) -> bool:
    """Of a spec that names no packages, the one for TensorFlow is only understood."""
    return is_inferred(base) or not {"packages", "requirements"}.isdisjoint(base.key_lines)


def _change_base_image(draft: Draft, change: Change, base: Runtime) -> bool:
    """Of a Dockerfile whose base image brings TensorFlow: its release is in the tag. False where that is not so."""
    origin = base.origin
    line = draft.sources.line(origin)
    if origin is None or line is None or not (change.tensorflow and base.tensorflow and is_dockerfile(origin.file)):
        return False
    other = TAG.sub(rf"\g<1>{change.tensorflow}", line)
    if other == line or "@" in line:
        return False
    draft.change(origin.file, origin.line, other)
    return True


def _add_packages(draft: Draft, block: Block | None, change: Change, base: Runtime) -> None:
    """Lines for packages that the runtime did not ask for so far; what exists already asks for none."""
    if base.interpreter is not None or base.image is not None:
        return
    asked = {name_of(line.text) for line in (*base.requirements, *base.constraints)}
    new = [text for text in change.packages if name_of(text) not in asked and (parsed := parse(text)) and parsed]
    file = _listed(base)
    if change.keras and block is None and "keras" not in asked:
        new.append(keras_line(change.keras))
    for text in new:
        if file is not None:
            draft.add(file, text)
        elif block is not None:
            block.append("packages", f'"{text}"')


def _listed(base: Runtime) -> str | None:
    """The requirements file to which a line can be added."""
    named = [*base.requirement_files, *([base.origin.file] if base.origin else [])]
    return next((name for name in named if PurePosixPath(name).suffix in (".txt", ".in")), None)
