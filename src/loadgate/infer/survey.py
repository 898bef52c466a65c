"""Which files of a repository describe runtimes, and what each says. Nothing is chosen yet."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from functools import cached_property
from pathlib import Path

from loadgate.declared import DOCKERFILES, TENSORFLOW_NAMES, Declared, Python, first_named, is_dockerfile
from loadgate.domain import Origin, Requirement
from loadgate.infer import base_image, dockerfile, python_version
from loadgate.infer.candidate import Candidate
from loadgate.infer.environment import set_beside, set_by
from loadgate.infer.folder import deciding
from loadgate.infer.groups import is_for_development
from loadgate.infer.listed import IN_REQUIREMENTS_FOLDER, KINDS, kind_of, read_listed
from loadgate.infer.naming import Named, named_in
from loadgate.infer.replaced import without_replaced
from loadgate.mistakes import Mistakes, quoted
from loadgate.repository import UnusableFileError, find_files
from loadgate.requirements import WrongLinesError, read_lines

MOST_FILES = 400
"""Of each kind, nearest to the root first. A repository with more is a collection of projects, not one."""

MOST_LINES_TOLD = 5
"""Of one file, of those that are wrong."""


@dataclass
class Survey:
    """The files of one repository, each read when it is first asked for."""

    root: Path
    notes: list[str] = field(default_factory=list)
    """What could not be read."""
    unclear: list[Named] = field(default_factory=list)
    """Of that, what names a TensorFlow."""
    _read: dict[str, Declared | None] = field(default_factory=dict)
    _wrong: set[str] = field(default_factory=set)
    """Files of which only a part is used. A spec that named one of them would be refused."""

    @cached_property
    def files(self) -> tuple[str, ...]:
        listed = [pattern for kind in KINDS for pattern in kind.patterns]
        unsayable: list[str] = []
        patterns = (*listed, *DOCKERFILES, *python_version.FILES, IN_REQUIREMENTS_FOLDER)
        files = find_files(self.root, patterns, unsayable)
        self._pass_over([file for file in unsayable if kind_of(file) or is_dockerfile(file)][:MOST_FILES])
        return files

    def _pass_over(self, unsayable: Sequence[str]) -> None:
        said = {file: os.fsencode(file).decode(errors="backslashreplace") for file in unsayable}
        if said:
            names = ", ".join(map(quoted, [*said.values()][:MOST_LINES_TOLD]))
            self.notes.append(f"Not used, for paths that are not UTF-8 can be said nowhere: {names}.")
        found = ((named_in(self.root, file), name) for file, name in said.items())
        self.unclear += [replace(named, file=name) for named, name in found if named]

    def of_kind(self, index: int) -> list[str]:
        return [file for file in self.files if kind_of(file) is KINDS[index]][:MOST_FILES]

    @cached_property
    def images(self) -> tuple[dockerfile.Image, ...]:
        found = []
        for file in [file for file in self.files if is_dockerfile(file)][:MOST_FILES]:
            try:
                found.append(dockerfile.read(self.root, file))
            except UnusableFileError as error:
                self._drop(file, f"{quoted(file)} {error}")
        return tuple(found)

    @cached_property
    def pythons(self) -> tuple[Python, ...]:
        """What is said of the Python, most exact kind of file first, and images for development last."""
        from_images = [image.python for image in self.images if not is_for_development(image.file)]
        for_development = [image.python for image in self.images if is_for_development(image.file)]
        named = [file for file in self.files if posixpath.basename(file) in python_version.FILES][:MOST_FILES]
        from_files = [python_version.read(self.root, file) for file in named]
        listed = [self.declared(file) for index in range(len(KINDS)) for file in self.of_kind(index)]
        from_lists = [declared.python for declared in listed if declared]
        return tuple(python for python in (*from_images, *from_files, *from_lists, *for_development) if python)

    def declared(self, file: str) -> Declared | None:
        """None, and a note, where the file is wrong: a person reads it, but no runtime is made from it."""
        if file not in self._read:
            self._read[file] = None
            try:
                self._read[file] = self._taken(read_listed(self.root, file))
            except WrongLinesError as error:
                self._read[file] = self._without(error)
                self._wrong.add(file)
            except Mistakes as error:
                self._drop(file, str(error.mistakes[0]))
            except UnusableFileError as error:
                self._drop(file, f"{quoted(file)} {error}")
        return self._read[file]

    def _without(self, error: WrongLinesError) -> Declared:
        """What is said without the wrong lines. Each is a note, and a doubt where it names a TensorFlow."""
        told = [f"{mistake}; the line is not used." for mistake in error.mistakes[:MOST_LINES_TOLD]]
        if len(error.mistakes) > len(told):
            told.append(f"{len(error.mistakes) - len(told)} more lines of {error.mistakes[0].file} are not used.")
        self.notes += told
        self.unclear += filter(None, map(Named.by, error.lines))
        return self._taken(error.rest)

    def _taken(self, declared: Declared) -> Declared:
        self.unclear += filter(None, map(Named.by_left_out, declared.left_out))
        return declared

    def _drop(self, file: str, why: str) -> None:
        self.notes.append(f"{why}; the file is not used.")
        if (named := named_in(self.root, file)) is not None:
            self.unclear.append(named)

    # --- candidates -----------------------------------------------------------------------------------------

    @cached_property
    def of_images(self) -> tuple[Candidate, ...]:
        found = [self._of_image(image) for image in self.images]
        return tuple(candidate for candidate in found if candidate.is_about_models)

    def _of_image(self, image: dockerfile.Image) -> Candidate:
        lines: list[tuple[int, int, str]] = []
        files: list[str] = []
        notes: list[str] = []
        fresh: set[tuple[str, int] | str] = set()
        upgrading: set[tuple[str, int] | str] = set()
        for installed in image.installed:
            file = self._file_meant(installed.text, image)
            if file and installed.text.startswith(("-r", "--requirement")):
                files.append(file)
            elif file:
                lines.append((installed.line, 1, f"-c {file}"))
            elif "$" in installed.text or installed.text.startswith(("-r", "-c", "--requirement", "--constraint")):
                notes.append(f"{image.file}:{installed.line}: {quoted(installed.text)} could not be followed.")
                origin = Origin(file=image.file, line=installed.line)
                self.unclear += filter(None, [Named.by(Requirement(text=installed.text, origin=origin))])
            else:
                lines.append((installed.line, 1, installed.text))
            if installed.is_fresh:
                fresh.add(file or (image.file, installed.line))
            if installed.is_upgrade:
                upgrading.add(file or (image.file, installed.line))
        listed = [(file, self.declared(file)) for file in dict.fromkeys(files)]
        try:
            own = self._taken(read_lines(self.root, lines, image.file))
        except WrongLinesError as error:
            own = self._without(error)
        parts = [*(declared for _, declared in listed if declared), own]
        commands = self._by_command(image, parts)
        upgrades = _of_places([line for command in commands for line in command], upgrading)
        requirements, replaced = without_replaced(commands, upgrades)
        from_files = {line for file, declared in listed if declared for line in declared.requirements}
        is_in_part = not self._wrong.isdisjoint(files) or not from_files <= set(requirements)
        anew = _of_places(requirements, fresh)
        brought = base_image.brought_by(image, parts, anew)
        if base_image.is_unclear(image, parts, anew):
            self._doubt(image, requirements)
        about_base = base_image.notes_on(image, brought, requirements)
        candidate = Candidate(
            file=image.file,
            requirements=requirements,
            constraints=tuple(line for part in parts for line in part.constraints),
            requirement_files=() if is_in_part else tuple(file for file, declared in listed if declared),
            image=brought,
            python=image.python,
            notes=(*notes, *image.notes, *(note for part in parts for note in part.notes), *replaced, *about_base),
            reads=frozenset([image.file, *(file for part in parts for file in part.files)]),
        )
        return set_by(image, candidate)

    def _by_command(self, image: dockerfile.Image, parts: Sequence[Declared]) -> list[list[Requirement]]:
        """The lines of each pip install, in their order."""
        commands: dict[tuple[int, int], list[Requirement]] = {each.command: [] for each in image.installed}
        of_file = {self._file_meant(each.text, image): each.command for each in image.installed}
        of_line = {(each.line, " ".join(each.text.split())): each.command for each in image.installed}
        first = next(iter(commands), (0, 0))
        for part in parts:
            whole = next((of_file[file] for file in part.files if file in of_file), first)
            for line in part.requirements:
                place = line.origin.line if line.origin and line.origin.file == image.file else 0
                commands.setdefault(of_line.get((place, line.text), whole), []).append(line)
        return list(commands.values())

    def _doubt(self, image: dockerfile.Image, requirements: Sequence[Requirement]) -> None:
        said = quoted(image.base)
        if image.tensorflow is not None:
            self.notes.append(f"{image.base_origin}: whether pip replaces the TensorFlow of {said} is not known.")
        elif not first_named(requirements, TENSORFLOW_NAMES):
            self.notes.append(
                f"{image.base_origin}: {said} has a TensorFlow, and does not say which; "
                "name its version under `tensorflow:` of a runtime, or the image itself under `image:`."
            )
        self.unclear.append(Named(image.file, image.base_origin.line if image.base_origin else 1, image.base))

    def _file_meant(self, text: str, image: dockerfile.Image) -> str | None:
        """The repository's file behind `-r /tmp/requirements.txt`, by what was copied into the image."""
        option, _, path = text.partition(" ")
        if option not in ("-r", "--requirement", "-c", "--constraint"):
            return None
        base = posixpath.basename(path)
        copied = [source for source in image.copied if fnmatchcase(base, posixpath.basename(source))]
        meant = [source for place, source in image.renamed.items() if posixpath.basename(place) == base]
        meant += [posixpath.join(posixpath.dirname(source), base) for source in copied]
        meant += [posixpath.normpath(path).lstrip("/"), base]
        folders = dict.fromkeys((posixpath.dirname(image.file), ""))
        places = [posixpath.normpath(posixpath.join(folder, place)) for place in meant for folder in folders]
        return next(
            (place for place in places if not place.startswith("../") and os.path.isfile(self.root / place)), None
        )

    def _of_file(self, file: str, declared: Declared) -> Candidate:
        candidate = Candidate.of(file, declared)
        return replace(candidate, requirement_files=()) if file in self._wrong else candidate

    def of_folders(self) -> Iterator[Candidate]:
        """What decides in each folder, and what only a group for development says."""
        by_folder: dict[str, list[tuple[int, Candidate]]] = {}
        decided = {candidate.file for candidate in self.of_images}
        others = [image for image in self.images if image.file not in decided]
        for index in range(len(KINDS)):
            found = [self._of_file(file, declared) for file in self.of_kind(index) if (declared := self.declared(file))]
            speaking = [candidate for candidate in found if candidate.is_about_models]
            for candidate in _without_included(speaking):
                if candidate.by_development:
                    yield set_beside(others, candidate)
                else:
                    by_folder.setdefault(candidate.folder, []).append((index, candidate))
        for folder in by_folder.values():
            yield from (set_beside(others, candidate) for candidate in deciding(folder))


def _of_places(lines: Iterable[Requirement], places: Collection[tuple[str, int] | str]) -> list[Requirement]:
    """The lines of those files, and those that stand in one of those places."""
    origins = [(line, line.origin) for line in lines if line.origin]
    return [line for line, origin in origins if origin.file in places or (origin.file, origin.line) in places]


def _without_included(candidates: Sequence[Candidate]) -> list[Candidate]:
    """A file that another one includes with `-r` is a part of that one's runtime, unless that is for development."""
    included = {
        file
        for candidate in candidates
        if not is_for_development(candidate.file)
        for file in candidate.reads - {candidate.file}
    }
    return [candidate for candidate in candidates if candidate.file not in included]
