"""Every key of `loadgate.yml`: how it is read, and what the reference says of it. A new key is a new entry here."""

from __future__ import annotations

from typing import Any

from loadgate.domain import Checks, Device, FailOn, Format, GpuMissing, Loader, Policy, RemedyBounds
from loadgate.spec import values
from loadgate.spec.fields import Key, boolean, choice, list_of, mapping_of, record

# --- artifacts ------------------------------------------------------------------------------------------------

INCLUDE = Key(
    "include",
    list_of(values.artifact_pattern, '["models/**"]'),
    "list of patterns",
    '["models/**"]',
    "Where to look for artifacts, as patterns of .gitignore. What git ignores, and what nobody committed of `venv`, "
    "`node_modules` and their like, is found where a pattern begins with the name of its folder, as `models/**` does "
    "and `*.h5` does not.",
    "the whole repository, minus what git ignores",
)
EXCLUDE = Key(
    "exclude",
    list_of(values.artifact_pattern, '["**/fixtures/**"]'),
    "list of patterns",
    '["**/fixtures/**"]',
    "What to leave out of that.",
)
ARTIFACT_LOADER = Key(
    "loader",
    mapping_of(
        values.artifact_pattern, lambda _name, _node: choice(Loader), 'a mapping, such as {"models/old/**": tf_keras}'
    ),
    "mapping of pattern to loader",
    '{"models/old/**": tf_keras}',
    "The call that production makes, by pattern over artifact paths. The first that matches wins, over a runtime's"
    " own `loader` too.",
    "the runtime's `loader`",
)
ARTIFACT_KEYS = (INCLUDE, EXCLUDE, ARTIFACT_LOADER)

# --- a runtime ------------------------------------------------------------------------------------------------

DRIVER = Key("driver", values.platform_version, "text", '"535"', "Version of the NVIDIA driver.", "not said")
CUDA = Key("cuda", values.platform_version, "text", '"12.2"', "Version of CUDA.", "not said")
CUDNN = Key("cudnn", values.platform_version, "text", '"8.9"', "Version of cuDNN.", "not said")
GPU_KEYS = (DRIVER, CUDA, CUDNN)

PYTHON = Key(
    "python",
    values.python_version,
    "text",
    '"3.11"',
    "Python version, in quotes: without them YAML reads 3.10 as 3.1.",
    "one that the TensorFlow asked for admits",
)
TENSORFLOW = Key(
    "tensorflow",
    values.release,
    "text",
    '"2.15.1"',
    'TensorFlow version, or a specifier such as ">=2.15,<2.16".',
    "what `requirements` and `packages` bring; where there are none, the newest",
)
KERAS = Key(
    "keras",
    values.release,
    "text",
    '"2.15.0"',
    "Keras version, or a specifier. What was really installed is in the lock either way.",
    "what the resolver picks",
)
REQUIREMENTS = Key(
    "requirements",
    list_of(values.listed_file, "[requirements.txt]"),
    "list of files",
    "[serving/requirements.txt]",
    "Files that list packages, relative to the repository: requirements files of pip, uv.lock, poetry.lock,"
    " Pipfile.lock, pdm.lock, pylock.toml, Pipfile, pyproject.toml, setup.cfg, setup.py or a conda environment."
    " Lines that mean a file of the repository (`-e .`, `./wheels/acme.whl`) are left out, and the report says so.",
)
PACKAGES = Key(
    "packages",
    list_of(values.package, '["tensorflow-text==2.15.*"]'),
    "list of requirements",
    '["tensorflow-text==2.15.*"]',
    "More packages, each a line as in a requirements file.",
)
ENV = Key(
    "env",
    mapping_of(values.environment_name, lambda _name, _node: values.environment_value, 'a mapping, such as {KEY: "1"}'),
    "mapping of name to text",
    '{TF_USE_LEGACY_KERAS: "1"}',
    "Environment variables of the load, values in quotes. Not allowed: "
    + ", ".join(f"`{name}`" for name in values.RESERVED)
    + " and what begins with `LOADGATE_`.",
)
LOADER = Key(
    "loader",
    mapping_of(choice(Format), values.loader_of, "a mapping, such as {saved_model: keras_layer}"),
    "mapping of format to loader",
    "{saved_model: keras_layer}",
    "The call that production makes, by format. See the table below.",
    "the first loader of each format",
)
IMPORTS = Key(
    "imports",
    list_of(values.module, "[acme.layers]"),
    "list of modules",
    "[acme.layers]",
    "Modules to import before the load, such as those that register custom objects. `acme.layers:Gate` registers the"
    " class or function `Gate` of a module that does not do so itself.",
)
DEVICES = Key(
    "devices",
    list_of(choice(Device), "[cpu, gpu]"),
    "list of `cpu`, `gpu`",
    "[cpu, gpu]",
    "Where to load.",
    "`[cpu]`",
)
LOADED = Key(
    "artifacts",
    list_of(values.artifact_pattern, '["legacy/**"]'),
    "list of patterns",
    '["legacy/**"]',
    "Which artifacts are loaded in it, as patterns of .gitignore.",
    "all of them",
)
GPU = Key(
    "gpu",
    record(GPU_KEYS, "`gpu`", 'a mapping, such as {driver: "535"}'),
    "mapping",
    '{driver: "535", cuda: "12.2", cudnn: "8.9"}',
    "What production has, where this machine may differ.",
    "not said",
    GPU_KEYS,
)
INTERPRETER = Key(
    "interpreter",
    values.interpreter,
    "path",
    ".venv/bin/python",
    "A Python that exists, relative to the repository or absolute. Nothing is installed into it.",
    "a runtime is made",
)
IMAGE = Key(
    "image",
    values.image,
    "text",
    '"ghcr.io/acme/serving:2.15"',
    "A container image whose Python is the runtime.",
    "a runtime is made",
)
MADE_KEYS: tuple[Key[Any], ...] = (PYTHON, TENSORFLOW, KERAS, REQUIREMENTS, PACKAGES)
"""What a runtime is made from; they have no place beside an interpreter or an image, which exist already."""

EXISTING_KEYS: tuple[Key[Any], ...] = (INTERPRETER, IMAGE)
RUNTIME_KEYS = (*MADE_KEYS, ENV, LOADER, IMPORTS, DEVICES, LOADED, GPU, *EXISTING_KEYS)

# --- checks and policy ----------------------------------------------------------------------------------------

INFER = Key(
    "infer",
    boolean,
    "true or false",
    "true",
    "Run each model once on inputs made from its signature.",
    f"`{str(Checks().infer).lower()}`",
)
COMPILE = Key(
    "compile",
    boolean,
    "true or false",
    "true",
    "Load with the compiled state: optimizer, loss and metrics.",
    f"`{str(Checks().compile).lower()}`",
)
TIMEOUT = Key(
    "timeout",
    values.seconds,
    "number of seconds",
    "300",
    "What a case may take, all its stages together.",
    f"`{Checks().timeout:.0f}`",
)
MEMORY = Key(
    "memory",
    values.size,
    "bytes, with or without a unit",
    "4GiB",
    f"What a case may take, TensorFlow included. Units: {', '.join(values.UNITS)}.",
    "`4GiB`, or 1.5 GiB and eight times the artifact where that is more",
)
CHECK_KEYS = (INFER, COMPILE, TIMEOUT, MEMORY)

FAIL_ON = Key(
    "fail-on",
    choice(FailOn),
    "`any`, `new` or `never`",
    "any",
    "Which failures fail the gate: every one, those that the base branch does not have, or none.",
    f"`{Policy().fail_on}`",
)
GPU_MISSING = Key(
    "gpu-missing",
    choice(GpuMissing),
    "`skip` or `fail`",
    "skip",
    "What a case for the GPU is on a machine without one.",
    f"`{Policy().gpu_missing}`",
)
POLICY_KEYS = (FAIL_ON, GPU_MISSING)

# --- remedies -------------------------------------------------------------------------------------------------

TRY = Key(
    "try",
    boolean,
    "true or false",
    "true",
    "Try what might mend a failure, and report it as verified where it does. `false` leaves suggestions.",
    f"`{str(RemedyBounds().tried).lower()}`",
)
REMEDY_RUNTIMES = Key(
    "runtimes",
    values.count,
    "number",
    "4",
    "How many environments may be made to try remedies in.",
    f"`{RemedyBounds().runtimes}`",
)
REMEDY_TIME = Key(
    "time",
    values.seconds,
    "number of seconds",
    "300",
    "After how long no further remedy is begun.",
    f"`{RemedyBounds().time:.0f}`",
)
REMEDY_KEYS = (TRY, REMEDY_RUNTIMES, REMEDY_TIME)

# --- the spec -------------------------------------------------------------------------------------------------

SPEC_VERSION = Key(
    "version", values.spec_version, "number", "1", "Version of this format; required.", "none: write `version: 1`"
)
ARTIFACTS = Key(
    "artifacts",
    record(ARTIFACT_KEYS, "`artifacts`", "a mapping, such as {include: [models/**]}"),
    "mapping",
    '{include: ["models/**"]}',
    "Which files are looked at.",
    "the whole repository, minus what git ignores",
    ARTIFACT_KEYS,
)
RUNTIMES = Key(
    "runtimes",
    mapping_of(
        values.runtime_name,
        lambda name, node: record(RUNTIME_KEYS, f"runtime `{name}`", 'a mapping, such as {tensorflow: "2.15.1"}', node),
        'a mapping, such as {serving: {tensorflow: "2.15.1"}}',
    ),
    "mapping of name to runtime",
    '{serving: {tensorflow: "2.15.1"}}',
    "The environments in which the artifacts have to load. A name has at most 64 letters, digits, `.`, `_` and `-`.",
    "inferred from the repository's own files",
    RUNTIME_KEYS,
)
CHECKS = Key(
    "checks",
    record(CHECK_KEYS, "`checks`", "a mapping, such as {timeout: 300}"),
    "mapping",
    "{infer: true, timeout: 300, memory: 4GiB}",
    "What is done with each model, and what it may take.",
    "the defaults below",
    CHECK_KEYS,
)
POLICY = Key(
    "policy",
    record(POLICY_KEYS, "`policy`", "a mapping, such as {fail-on: any}"),
    "mapping",
    "{fail-on: any, gpu-missing: skip}",
    "What makes the gate fail.",
    "the defaults below",
    POLICY_KEYS,
)
REMEDIES = Key(
    "remedies",
    record(REMEDY_KEYS, "`remedies`", "a mapping, such as {runtimes: 4, time: 300}"),
    "mapping",
    "{runtimes: 4, time: 300}",
    "What may be spent on finding out what mends a failure.",
    "the defaults below",
    REMEDY_KEYS,
)
SPEC_KEYS = (SPEC_VERSION, ARTIFACTS, RUNTIMES, CHECKS, POLICY, REMEDIES)
