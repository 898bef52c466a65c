"""Without a spec: which runtimes the repository's own files describe, and from which lines."""

from __future__ import annotations

import posixpath
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from packaging.requirements import Requirement as ParsedRequirement
from packaging.version import Version

from loadgate.declared import FOLLOWING_NAMES, TENSORFLOW_NAMES, Python, is_dockerfile
from loadgate.domain import Origin, Requirement, Runtime, Spec
from loadgate.infer.candidate import Candidate
from loadgate.infer.names import names_for
from loadgate.infer.python_version import version_of
from loadgate.infer.survey import Survey
from loadgate.infer.undecided import unclear_about
from loadgate.mistakes import quoted
from loadgate.runtimes.constraints import constraints_for
from loadgate.runtimes.resolution import parsed, pythons_for, specifier
from loadgate.runtimes.supported_pythons import support_of, supports

MOST_RUNTIMES = 8
"""Each is an environment of a gigabyte. Whoever really has more of them names them in a spec."""


def infer_spec(root: Path, python: tuple[int, int]) -> Spec:
    """What the repository at `root` says of its runtimes. `python` is taken where it says nothing."""
    survey = Survey(root)
    of_images = list(survey.of_images)
    of_folders = list(survey.of_folders())
    candidates, passed_over = _choose(of_images, of_folders)
    runtimes, same = _unique([_runtime(candidate, survey.pythons) for candidate in candidates])
    notes = [*same, *passed_over, *survey.notes]
    undecided = tuple(str(named) for named in unclear_about(survey, candidates))
    if not runtimes:
        runtime = _default(".".join(str(number) for number in python))
        notes[:0] = () if undecided else runtime.notes
        return Spec(runtimes=(runtime,), notes=tuple(notes), undecided=undecided)
    if len(runtimes) > MOST_RUNTIMES:
        left_out = ", ".join(str(runtime.origin) for runtime in runtimes[MOST_RUNTIMES:][:20])
        note = (
            f"More than {MOST_RUNTIMES} runtimes are described; name those that matter in a spec. Left out: {left_out}."
        )
        notes.insert(0, note)
    return Spec(runtimes=tuple(runtimes[:MOST_RUNTIMES]), notes=tuple(notes), undecided=undecided)


def _default(python: str) -> Runtime:
    """What loadgate itself chooses, with all that it is known to need."""
    newest = next((each for each in reversed(supports()) if python in each.pythons()), supports()[-1])
    python = python if python in newest.pythons() else newest.pythons()[0]
    known = constraints_for(Version(newest.tensorflow))
    needed = known.requirements if known else ()
    note = f"No file of the repository says which TensorFlow, so the newest for Python {python} is used."
    if needed:
        note = f"{note[:-1]}, with {', '.join(needed)}, without which it cannot be imported."
    requirements = tuple(Requirement(text=text) for text in ("tensorflow", *needed))
    return Runtime(name="default", python=python, requirements=requirements, notes=(note,))


def _choose(of_images: list[Candidate], of_folders: list[Candidate]) -> tuple[list[Candidate], list[str]]:
    """A Dockerfile shows what production installs, so it decides for its folder and for the files it installs."""
    # an image for development installs production's files as well, and is no word on production
    deciding = _for_use(of_images) if _for_use(_strongest([*of_images, *of_folders])) else of_images
    decided = {candidate.folder: candidate.file for candidate in reversed(deciding)}
    decided |= {posixpath.dirname(file): c.file for c in deciding for file in c.reads}
    candidates = list(of_images)
    notes = []
    for candidate in of_folders:
        by = decided.get(candidate.folder)
        if by is None:
            candidates.append(candidate)
        elif not any(candidate.file in image.reads for image in deciding):
            notes.append(f"{candidate.origin}: passed over, for {by} says what is installed.")
    kept = _strongest(candidates)
    for_use = _for_use(kept)
    if for_use and len(for_use) < len(kept):
        names = ", ".join(quoted(c.file) for c in kept if c.is_for_development)
        notes.append(f"Passed over, for development by their names: {names}.")
    chosen = for_use or kept
    return sorted(chosen, key=lambda candidate: (candidate.file.count("/"), candidate.file)), notes


def _for_use(candidates: list[Candidate]) -> list[Candidate]:
    return [candidate for candidate in candidates if not candidate.is_for_development]


def _strongest(candidates: list[Candidate]) -> list[Candidate]:
    """Files that name TensorFlow; where there are none those that need it, then those that name Keras; then TFLite."""
    with_tensorflow = [candidate for candidate in candidates if candidate.brings_tensorflow]
    along = [candidate for candidate in candidates if candidate.brings_it_along]
    with_keras = [candidate for candidate in candidates if candidate.brings_keras]
    return with_tensorflow or along or with_keras or candidates


def _runtime(candidate: Candidate, pythons: Sequence[Python]) -> Runtime:
    """Named later, when all are known."""
    version, about_python = _python(candidate, pythons)
    asked = Runtime(
        name=candidate.file,
        python=version,
        tensorflow=_asked_for(candidate.image) if candidate.image else None,
        requirements=candidate.requirements,
        constraints=candidate.constraints,
        env=candidate.env,
    )
    candidate, notes = _with_tensorflow(replace(candidate, running=pythons_for(asked)[0]))
    return replace(
        asked,
        requirements=candidate.requirements,
        constraints=candidate.constraints,
        requirement_files=candidate.requirement_files,
        origin=candidate.origin,
        notes=(*notes, about_python, *candidate.notes),
    )


def _asked_for(image: Python) -> str:
    """Where an image tells the minor version alone, its newest patch."""
    return image.said if Version(image.said).release[2:] else f"=={image.said}.*"


def _with_tensorflow(candidate: Candidate) -> tuple[Candidate, list[str]]:
    """With TensorFlow itself, where only Keras or TFLite is named, and the sentence that says where it is from."""
    line = candidate.chosen_line
    said = quoted(line.text) if line else ""
    if candidate.image:
        return candidate, [f"TensorFlow {candidate.image.said}, from the base image in {candidate.image.origin}."]
    if candidate.brings_tensorflow:
        return candidate, [f"{said}, from {candidate.origin}."]
    if candidate.brings_it_along:
        return candidate, [f"{said}, from {candidate.origin}; it brings the TensorFlow that it needs."]
    newest = Requirement(text="tensorflow")
    if candidate.brings_keras:
        note = f"{said}, from {candidate.origin}; no file names TensorFlow, so the newest beside it is used."
        return replace(candidate, requirements=(*candidate.requirements, newest)), [note]
    note = f"{said}, from {candidate.origin}; the newest TensorFlow's own interpreter stands in for it."
    return replace(candidate, requirements=(newest,), constraints=(), requirement_files=()), [note]


def _python(candidate: Candidate, pythons: Sequence[Python]) -> tuple[str | None, str]:
    """The version, and the sentence that says where it is from."""
    beside = [python for python in pythons if candidate.is_beside(python.origin.file)]
    beside.sort(key=lambda python: -python.origin.file.count("/"))
    if candidate.python and is_dockerfile(candidate.file):
        beside.insert(0, candidate.python)
    wanted = _tensorflows(candidate)
    for python in beside:
        version = next((version for each in wanted if (version := version_of(python, each))), None)
        if version == python.said:
            return version, f"Python {version}, from {python.origin}."
        if version:
            oldest = f"the oldest of {quoted(python.said)} that TensorFlow has builds for"
            return version, f"Python {version}, from {python.origin}, {oldest}."
    said = "No file says which Python"
    if beside:
        asked = f"{beside[0].origin} asks for Python {quoted(beside[0].said)}"
        said = f"{asked}, for which this TensorFlow has no builds"
    if wanted and not candidate.brings_tensorflow and candidate.lines_naming(FOLLOWING_NAMES):
        newest = support_of(wanted[0].specifier).pythons()[0]
        return newest, f"{said}; {newest} is the newest for the TensorFlow of {quoted(str(wanted[0]))}."
    return None, f"{said}; the newest that TensorFlow has builds for is taken."


def _tensorflows(candidate: Candidate) -> list[ParsedRequirement]:
    """What is asked for, as lines for different Pythons say it differently."""
    if candidate.image:
        return [ParsedRequirement("tensorflow" + specifier(_asked_for(candidate.image)))]
    lines = candidate.lines_naming(TENSORFLOW_NAMES) or candidate.lines_naming(FOLLOWING_NAMES)
    return parsed([line.text for line in lines]) or [ParsedRequirement("tensorflow")]


def _unique(runtimes: Sequence[Runtime]) -> tuple[list[Runtime], list[str]]:
    """Each runtime once and named, and a sentence for each that says the same as another."""
    first: dict[object, Runtime] = {}
    again: dict[object, list[Origin]] = {}
    notes = []
    for runtime in runtimes:
        packages = (runtime.tensorflow, _texts(runtime.requirements), _texts(runtime.constraints))
        asked = (runtime.python, *packages, frozenset(runtime.env.items()))
        if asked in first:
            notes.append(f"{runtime.origin} says the same as {first[asked].origin}.")
            again.setdefault(asked, []).extend([runtime.origin] if runtime.origin else [])
        else:
            first[asked] = runtime
    unique = [replace(runtime, said_again=tuple(again.get(asked, ()))) for asked, runtime in first.items()]
    names = names_for([runtime.name for runtime in unique])
    return [replace(runtime, name=name) for runtime, name in zip(unique, names, strict=True)], notes


def _texts(requirements: Sequence[Requirement]) -> frozenset[str]:
    return frozenset(requirement.text for requirement in requirements)
