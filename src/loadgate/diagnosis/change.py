"""What a remedy changes about a runtime or about the call, and the runtime that comes of it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache

from packaging.requirements import InvalidRequirement
from packaging.requirements import Requirement as ParsedRequirement
from packaging.utils import canonicalize_name

from loadgate.declared import KERAS_NAMES, TENSORFLOW_NAMES
from loadgate.domain import Format, Loader, Lock, RemedyKind, Requirement, Runtime

FOLLOWS_TENSORFLOW = frozenset(
    {"absl-py", "astunparse", "flatbuffers", "gast", "google-auth-oauthlib", "google-pasta", "grpcio", "h5py"}
    | {"keras-applications", "keras-preprocessing", "libclang", "ml-dtypes", "namex", "numpy", "opt-einsum", "optree"}
    | {"protobuf", "six", "tensorboard", "tensorboard-data-server", "tensorboard-plugin-wit", "tensorflow-addons"}
    | {"tensorflow-decision-forests", "tensorflow-estimator", "tensorflow-io-gcs-filesystem", "tensorflow-text"}
    | {"termcolor", "typing-extensions", "wrapt", *KERAS_NAMES}
)
"""Packages whose version follows from TensorFlow's: a pin that was made for one release refuses another."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """The smallest step from a runtime that does not load an artifact to one that might."""

    kind: RemedyKind
    python: str | None = None
    tensorflow: str | None = None
    """Another release, such as `2.15.1`."""
    keras: str | None = None
    packages: tuple[str, ...] = ()
    """Requirements; each takes the place of what the runtime says of the same package."""
    env: Mapping[str, str] = field(default_factory=dict)
    imports: tuple[str, ...] = ()
    loader: Loader | None = None
    resave: Format | None = None
    """The artifact is saved again in this format, and `loader` reads it."""

    @property
    def needs_environment(self) -> bool:
        """Something has to be installed to try it."""
        return bool(self.python or self.tensorflow or self.keras or self.packages)

    @property
    def is_far(self) -> bool:
        """Another TensorFlow or Python: a migration."""
        return self.kind in (RemedyKind.TENSORFLOW, RemedyKind.PYTHON)

    @property
    def of_runtime(self) -> Change:
        """Without what differs from case to case: changes that are equal in this can share a runtime."""
        return replace(self, loader=None, resave=None, kind=RemedyKind.OTHER)

    @property
    def of_environment(self) -> Change:
        """What has to be installed for it, and the variables: what other failures of the runtime can share."""
        return replace(self, loader=None, resave=None, imports=())

    @property
    def leaves_runtime(self) -> bool:
        return not (self.needs_environment or self.env or self.imports)

    @property
    def label(self) -> str:
        """A few words, for the name of the runtime in which it is tried."""
        parts = [f"Python {self.python}"] if self.python else []
        parts += [f"TensorFlow {self.tensorflow}"] if self.tensorflow else []
        parts += [f"Keras {self.keras}"] if self.keras else []
        parts += [*self.packages, *(f"{name}={value}" for name, value in self.env.items())]
        parts += [f"import {module}" for module in self.imports]
        return ", ".join(parts) or "as it is"


def combined(first: Change, second: Change) -> Change:
    """Both, of whatever kind; where they contradict each other, the second."""
    named = {name_of(text) for text in second.packages}
    return replace(
        second,
        python=second.python or first.python,
        packages=(*(text for text in first.packages if name_of(text) not in named), *second.packages),
        env={**first.env, **second.env},
    )


def changed(runtime: Runtime, lock: Lock | None, change: Change, *, name: str) -> Runtime:
    """The runtime with the change. `lock` is what it turned out to be, where it could be made.

    What exists already, an interpreter or an image, cannot be installed into: where the change needs that, a runtime
    with the same Python, TensorFlow and Keras takes its place.
    """
    if change.needs_environment:
        runtime = made_like(runtime, lock)
    dropped, replaced = _dropped(change), _replaced(change)
    kept = [
        line
        for line in runtime.requirements
        if name_of(line.text) not in dropped or (name_of(line.text) not in replaced and not is_bound(line.text))
    ]
    if change.tensorflow and not any(name_of(line.text) in TENSORFLOW_NAMES for line in kept):
        tensorflow: str | None = change.tensorflow
    else:
        tensorflow = None if change.tensorflow else runtime.tensorflow
    lines = list(_with_release(kept, change.tensorflow))
    lines += [Requirement(text=text) for text in change.packages]
    constraints = (line for line in runtime.constraints if name_of(line.text) not in dropped)
    keras = change.keras or (None if "keras" in dropped else runtime.keras)
    return replace(
        runtime,
        name=name,
        python=change.python or runtime.python,
        tensorflow=tensorflow,
        keras=keras,
        requirements=tuple(lines),
        constraints=tuple(_with_release(constraints, change.tensorflow)),
        env={**runtime.env, **change.env},
        imports=tuple(dict.fromkeys((*runtime.imports, *change.imports))),
    )


def has_open_keras(runtime: Runtime, lock: Lock) -> bool:
    """Whether it got a Keras that is a package of its own, and nobody says of which version."""
    lines = (*runtime.requirements, *runtime.constraints)
    is_asked = runtime.keras is not None or any(name_of(line.text) == "keras" for line in lines)
    is_made = runtime.interpreter is None and runtime.image is None
    return is_made and not is_asked and lock.keras_module != "tf_keras" and (lock.keras or "").startswith("3.")


def made_like(runtime: Runtime, lock: Lock | None) -> Runtime:
    """Of the same name. What is made from packages already, or is not known, is left as it is."""
    if (runtime.interpreter is None and runtime.image is None) or lock is None:
        return runtime
    pins = [f"{name}=={lock.packages[name]}" for name in ("numpy", "protobuf", "h5py") if name in lock.packages]
    separate_keras = lock.packages.get("keras", "").startswith("3.")
    return replace(
        runtime,
        interpreter=None,
        image=None,
        python=".".join(lock.python.split(".")[:2]),
        tensorflow=lock.tensorflow,
        keras=lock.packages["keras"] if separate_keras else None,
        requirements=tuple(Requirement(text=pin) for pin in pins),
    )


def _dropped(change: Change) -> frozenset[str]:
    """The packages of which the runtime's own lines and constraints no longer hold."""
    return _replaced(change) | (FOLLOWS_TENSORFLOW if change.tensorflow else frozenset())


def _replaced(change: Change) -> frozenset[str]:
    """The packages of which the change itself says the version."""
    return frozenset(map(name_of, change.packages)) | (frozenset(("keras",)) if change.keras else frozenset())


def is_bound(text: str) -> bool:
    """Whether a line says which versions of its package will do."""
    parsed = parse(text)
    return parsed is None or bool(parsed.specifier or parsed.url)


def _with_release(lines: Iterable[Requirement], release: str | None) -> Iterator[Requirement]:
    """The lines, with that release where they name TensorFlow."""
    for line in lines:
        parsed = parse(line.text) if release else None
        if parsed is not None and canonicalize_name(parsed.name) in TENSORFLOW_NAMES:
            extras = f"[{','.join(sorted(parsed.extras))}]" if parsed.extras else ""
            marker = f" ; {parsed.marker}" if parsed.marker else ""
            yield replace(line, text=f"{parsed.name}{extras}=={release}{marker}")
        else:
            yield line


@lru_cache(maxsize=1024)
def parse(text: str) -> ParsedRequirement | None:
    """None for an option, a URL, or what is no requirement."""
    try:
        return ParsedRequirement(text.partition(" --")[0].partition(" #")[0].strip())
    except InvalidRequirement:
        return None


def name_of(text: str) -> str:
    parsed = parse(text)
    return canonicalize_name(parsed.name) if parsed else ""
