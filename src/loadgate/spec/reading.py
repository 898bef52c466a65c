"""From `loadgate.yml` to a `Spec`."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from itertools import chain
from pathlib import Path

import yaml

from loadgate.domain import Checks, Device, GpuTarget, Policy, RemedyBounds, Requirement, Runtime, Spec
from loadgate.infer import infer_spec
from loadgate.mistakes import Mistake, Mistakes
from loadgate.repository import UnusableFileError, decode, read_bytes, read_text
from loadgate.spec import keys
from loadgate.spec.fields import Reading, RefusedError, Values, record
from loadgate.yaml_nodes import compose


def read_spec(root: Path, file: Path) -> Spec:
    """Read `file`, a spec for the repository at `root`. Raises `UsageError` with every mistake, one line each.

    Where it names no runtimes, they are inferred from the repository.
    """
    inside = _name_inside(root, file)
    name = inside or str(file)
    reading = Reading(root, name)
    node = compose(_text(root, inside, file), name)
    if node is None:
        raise Mistakes([Mistake(name, 1, 1, "the spec is empty; begin with `version: 1`")])
    spec = _read(reading, node)
    if reading.mistakes:
        raise Mistakes(sorted(reading.mistakes, key=lambda mistake: (mistake.file != name, mistake.line)))
    if not spec.runtimes:
        inferred = infer_spec(root, sys.version_info[:2])
        spec = replace(spec, runtimes=inferred.runtimes, notes=inferred.notes, undecided=inferred.undecided)
    return spec


def _name_inside(root: Path, file: Path) -> str | None:
    path, repository = Path(os.path.abspath(file)), Path(os.path.abspath(root))
    return path.relative_to(repository).as_posix() if path.is_relative_to(repository) else None


def _text(root: Path, inside: str | None, file: Path) -> str:
    """A spec that comes with the repository may not be a link out of it; a person may name one from anywhere."""
    try:
        return decode(read_bytes(file)) if inside is None else read_text(root, inside)
    except UnusableFileError as error:
        raise Mistakes([Mistake(inside or str(file), error.line, error.column, f"the spec {error}")]) from error


def _read(reading: Reading, node: yaml.Node) -> Spec:
    try:
        values = record(keys.SPEC_KEYS, "the spec", "a mapping that begins with `version: 1`")(
            reading, "the spec", node
        )
    except RefusedError as error:
        reading.refuse(error)
        return Spec()
    if values.where(keys.SPEC_VERSION) is None:
        reading.refuse(RefusedError(node, "`version` is missing; begin with `version: 1`"))
    runtimes = values.find(keys.RUNTIMES)
    if runtimes == {} and not reading.mistakes:
        where = values.where(keys.RUNTIMES) or node
        reading.refuse(RefusedError(where, "`runtimes` names none; name one, or remove the key to have them inferred"))
    artifacts = values.find(keys.ARTIFACTS) or Values(node)
    return Spec(
        include=artifacts.get(keys.INCLUDE, ()),
        exclude=artifacts.get(keys.EXCLUDE, ()),
        loaders=artifacts.get(keys.ARTIFACT_LOADER, {}),
        runtimes=tuple(_runtime(reading, name, runtime) for name, runtime in (runtimes or {}).items()),
        checks=_checks(values.find(keys.CHECKS) or Values(node)),
        policy=_policy(values.find(keys.POLICY) or Values(node)),
        remedies=_remedies(values.find(keys.REMEDIES) or Values(node)),
        file=reading.file,
    )


def _checks(values: Values) -> Checks:
    defaults = Checks()
    return Checks(
        infer=values.get(keys.INFER, defaults.infer),
        compile=values.get(keys.COMPILE, defaults.compile),
        timeout=values.get(keys.TIMEOUT, defaults.timeout),
        memory=values.get(keys.MEMORY, defaults.memory),
    )


def _policy(values: Values) -> Policy:
    defaults = Policy()
    return Policy(
        fail_on=values.get(keys.FAIL_ON, defaults.fail_on),
        gpu_missing=values.get(keys.GPU_MISSING, defaults.gpu_missing),
    )


def _remedies(values: Values) -> RemedyBounds:
    defaults = RemedyBounds()
    return RemedyBounds(
        tried=values.get(keys.TRY, defaults.tried),
        runtimes=values.get(keys.REMEDY_RUNTIMES, defaults.runtimes),
        time=values.get(keys.REMEDY_TIME, defaults.time),
    )


def _runtime(reading: Reading, name: str, values: Values) -> Runtime:
    _refuse_what_does_not_go_together(reading, name, values)
    origin = reading.origin(values.node)
    listed = values.get(keys.REQUIREMENTS, ())
    declared = [*(declared for _, declared in listed), *values.get(keys.PACKAGES, ())]
    requirements = tuple(chain.from_iterable(part.requirements for part in declared))
    notes = tuple(chain.from_iterable(part.notes for part in declared))
    if _says_nothing_of_tensorflow(values) and not requirements:
        requirements = (Requirement(text="tensorflow", origin=origin),)
        notes = (*notes, f"{origin}: no TensorFlow is named, so the newest is taken.")
    return Runtime(
        name=name,
        python=values.find(keys.PYTHON),
        tensorflow=values.find(keys.TENSORFLOW),
        keras=values.find(keys.KERAS),
        requirements=requirements,
        constraints=tuple(chain.from_iterable(part.constraints for part in declared)),
        requirement_files=tuple(file for file, _ in listed),
        env=values.get(keys.ENV, {}),
        loaders=values.get(keys.LOADER, {}),
        imports=values.get(keys.IMPORTS, ()),
        devices=_devices(reading, values),
        artifacts=values.get(keys.LOADED, ()),
        gpu=_gpu(values),
        interpreter=values.find(keys.INTERPRETER),
        image=values.find(keys.IMAGE),
        origin=origin,
        key_lines={name: reading.origin(node).line for name, node in values.nodes.items()},
        notes=notes,
    )


def _says_nothing_of_tensorflow(values: Values) -> bool:
    return not any(values.where(key) for key in (keys.TENSORFLOW, *keys.EXISTING_KEYS))


def _refuse_what_does_not_go_together(reading: Reading, name: str, values: Values) -> None:
    existing = [key for key in keys.EXISTING_KEYS if values.where(key)]
    if not existing:
        return
    chosen = existing[0].name
    for key in (*existing[1:], *keys.MADE_KEYS):
        where = values.where(key)
        if where is not None:
            message = f"runtime `{name}` has `{chosen}`, so `{key.name}` has no effect; remove one of them"
            reading.refuse(RefusedError(where, message))


def _devices(reading: Reading, values: Values) -> tuple[Device, ...]:
    devices = values.get(keys.DEVICES, (Device.CPU,))
    where = values.where(keys.DEVICES)
    if where is not None and not devices and not reading.mistakes:
        reading.refuse(RefusedError(where, "`devices` names none; write [cpu], [gpu] or [cpu, gpu]"))
    return tuple(dict.fromkeys(devices))


def _gpu(values: Values) -> GpuTarget | None:
    gpu = values.find(keys.GPU)
    if gpu is None:
        return None
    return GpuTarget(driver=gpu.find(keys.DRIVER), cuda=gpu.find(keys.CUDA), cudnn=gpu.find(keys.CUDNN))
