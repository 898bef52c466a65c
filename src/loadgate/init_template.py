"""The `loadgate.yml` that `loadgate init` writes: what was inferred, with a word on each key, ready to be changed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from loadgate.diagnosis.new_spec import packages_of
from loadgate.domain import Checks, GpuTarget, Policy, RemedyBounds, Runtime, Spec
from loadgate.yaml_text import quoted, word

_WIDEST = 100


def render(spec: Spec) -> str:
    """A spec that `read_spec` reads back to the same artifacts, runtimes, checks, policy and remedies.

    What the spec's format has no key for, constraints that no requirements file brings, is said in a comment.
    """
    return "\n".join(
        [*_head(spec), "", *_artifacts(spec), "", *_runtimes(spec), "", *_checks(spec), "", *_remedies(spec), ""]
    )


def _head(spec: Spec) -> Iterator[str]:
    yield "# What loadgate loads, and where. On each key: docs/reference/spec.md in loadgate's own repository."
    for note in spec.notes:
        yield _comment(note)
    yield "version: 1"


def _artifacts(spec: Spec) -> Iterator[str]:
    yield "# Where models are looked for, as patterns of .gitignore: the whole repository, minus what git ignores."
    if not (spec.include or spec.exclude or spec.loaders):
        yield "# artifacts:"
        yield '#   include: ["models/**"]'
        yield '#   exclude: ["**/fixtures/**"]'
        yield '#   loader: {"models/old/**": tf_keras}    # the call that production makes, by pattern'
        return
    yield "artifacts:"
    yield from _list("  ", "include", spec.include)
    yield from _list("  ", "exclude", spec.exclude)
    yield from _mapping("  ", "loader", spec.loaders)


def _runtimes(spec: Spec) -> Iterator[str]:
    yield "# The environments in which the models have to load, by name."
    yield "# One that exists is named, not made: {interpreter: .venv/bin/python}, or {image: acme/serving:2.15}."
    yield "runtimes:"
    for runtime in spec.runtimes:
        yield f"  {word(runtime.name)}:"
        for note in runtime.notes:
            yield f"    {_comment(note)}"
        yield from _source(runtime)
        yield from _circumstances(runtime)


def _source(runtime: Runtime) -> Iterator[str]:
    if runtime.interpreter or runtime.image:
        yield from _value("    ", "interpreter", runtime.interpreter)
        yield from _value("    ", "image", runtime.image)
        return
    yield from _value("    ", "python", runtime.python, '"3.11"', "chosen by TensorFlow's own needs")
    yield from _value("    ", "tensorflow", runtime.tensorflow, '"2.15.1"', "a version, or >=2.15,<2.16")
    yield from _value("    ", "keras", runtime.keras, '"2.15.0"', "where the resolver's choice will not do")
    yield from _list("    ", "requirements", runtime.requirement_files, "[requirements.txt]", "files of packages")
    packages = [requirement.text for requirement in packages_of(runtime)]
    yield from _list("    ", "packages", packages, '["tensorflow-text==2.15.*"]', "more packages")
    if runtime.constraints and not runtime.requirement_files:
        yield "    # These constraints have no key here; name their file with -c in a requirements file:"
        yield from (f"    {_comment(constraint.text)}" for constraint in runtime.constraints)


def _circumstances(runtime: Runtime) -> Iterator[str]:
    yield from _mapping("    ", "env", runtime.env, '{TF_USE_LEGACY_KERAS: "1"}', "environment variables")
    yield from _mapping(
        "    ", "loader", runtime.loaders, "{saved_model: keras_layer}", "the call that production makes, by format"
    )
    yield from _list("    ", "imports", runtime.imports, "[acme.layers]", "imported first, for custom objects")
    yield f"    devices: [{', '.join(runtime.devices)}]    # cpu, gpu or both"
    yield from _list("    ", "artifacts", runtime.artifacts, '["legacy/**"]', "where only some models are loaded in it")
    if runtime.gpu is None:
        yield '    # gpu: {driver: "535", cuda: "12.2", cudnn: "8.9"}    # what production has'
    else:
        yield from _mapping("    ", "gpu", _gpu(runtime.gpu)) if _gpu(runtime.gpu) else ["    gpu: {}"]


def _gpu(gpu: GpuTarget) -> Mapping[str, str]:
    versions = {"driver": gpu.driver, "cuda": gpu.cuda, "cudnn": gpu.cudnn}
    return {name: version for name, version in versions.items() if version is not None}


def _checks(spec: Spec) -> Iterator[str]:
    checks, policy = spec.checks, spec.policy
    yield "# What is done with each model, and what it may take."
    yield "checks:" if checks != Checks() else "# checks:"
    hidden = "" if checks != Checks() else "# "
    yield f"{hidden}  infer: {str(checks.infer).lower()}    # run it once, on inputs made from its signature"
    yield f"{hidden}  compile: {str(checks.compile).lower()}    # load its optimizer, loss and metrics as well"
    yield f"{hidden}  timeout: {_plain(checks.timeout)}    # seconds a model may take"
    memory = "# memory: 4GiB" if checks.memory is None else f"memory: {_size(checks.memory)}"
    yield f"{hidden}  {memory.removeprefix(hidden)}    # what it may take, TensorFlow included"
    yield ""
    yield "# What makes the gate fail."
    hidden = "" if policy != Policy() else "# "
    yield f"{hidden}policy:"
    yield f"{hidden}  fail-on: {policy.fail_on}    # any, new (not on the base branch) or never"
    yield f"{hidden}  gpu-missing: {policy.gpu_missing}    # skip or fail, on a machine without a GPU"


def _remedies(spec: Spec) -> Iterator[str]:
    bounds = spec.remedies
    yield "# What may be spent on finding out what mends a failure."
    hidden = "" if bounds != RemedyBounds() else "# "
    yield f"{hidden}remedies:"
    yield f"{hidden}  try: {str(bounds.tried).lower()}    # false: remedies are suggested, and none is tried"
    yield f"{hidden}  runtimes: {bounds.runtimes}    # environments that may be made for it"
    yield f"{hidden}  time: {_plain(bounds.time)}    # seconds after which no further remedy is begun"


# --- YAML -----------------------------------------------------------------------------------------------------


def _value(indent: str, key: str, value: str | None, example: str = "", meaning: str = "") -> Iterator[str]:
    if value is not None:
        yield f"{indent}{key}: {quoted(value)}"
    elif example:
        yield f"{indent}# {key}: {example}    # {meaning}"


def _list(indent: str, key: str, items: Iterable[str], example: str = "", meaning: str = "") -> Iterator[str]:
    texts = [word(item) for item in items]
    line = f"{indent}{key}: [{', '.join(texts)}]"
    if not texts:
        yield from _value(indent, key, None, example, meaning)
    elif len(line) <= _WIDEST:
        yield line
    else:
        yield f"{indent}{key}:"
        yield from (f"{indent}  - {text}" for text in texts)


def _mapping(indent: str, key: str, pairs: Mapping[Any, str], example: str = "", meaning: str = "") -> Iterator[str]:
    if not pairs:
        yield from _value(indent, key, None, example, meaning)
        return
    yield f"{indent}{key}:"
    yield from (f"{indent}  {word(name)}: {quoted(value)}" for name, value in pairs.items())


def _comment(text: str) -> str:
    return "# " + "".join(character if character.isprintable() else " " for character in text)


def _plain(number: float) -> str:
    return f"{number:.6f}".rstrip("0").rstrip(".")


def _size(size: int) -> str:
    for unit, factor in (("GiB", 1024**3), ("MiB", 1024**2)):
        if size and size % factor == 0:
            return f"{size // factor}{unit}"
    return str(size)
