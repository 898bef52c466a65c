"""The words of loadgate as frozen dataclasses. Every other module may import this one; it imports none of them.

What crosses from one phase to the next (`Plan`, `RuntimeState`, `CaseResult`) is written to disk by
`interchange.py`, so a change to a field here is a change to a public file format.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Format(StrEnum):
    """What an artifact is, by its content."""

    KERAS_H5 = "keras_h5"
    KERAS_WEIGHTS_H5 = "keras_weights_h5"
    KERAS_V3 = "keras_v3"
    SAVED_MODEL = "saved_model"
    GRAPH_DEF = "graph_def"
    CHECKPOINT = "checkpoint"
    TFLITE = "tflite"


class Loader(StrEnum):
    """The call that production makes."""

    KERAS = "keras"
    """`tf.keras.models.load_model`, with the Keras that the runtime's TensorFlow uses."""
    TF_KERAS = "tf_keras"
    """`tf_keras.models.load_model`, whatever `tf.keras` is."""
    SAVED_MODEL = "saved_model"
    """`tf.saved_model.load`, as TensorFlow Serving does."""
    KERAS_LAYER = "keras_layer"
    """`keras.layers.TFSMLayer`."""
    GRAPH_DEF = "graph_def"
    """`tf.import_graph_def`."""
    META_GRAPH = "meta_graph"
    """`tf.compat.v1.train.import_meta_graph` of a checkpoint's `.meta`."""
    CHECKPOINT = "checkpoint"
    """`tf.train.load_checkpoint`, then every tensor is read."""
    CHECKPOINT_SHARDS = "checkpoint_shards"
    """The same with a pattern for the shards, `PREFIX-?????-of-?????`, which is how those of format V1 are named."""
    TFLITE = "tflite"
    """`tf.lite.Interpreter` with `allocate_tensors`."""
    WEIGHTS = "weights"
    """Every data set of a weights-only HDF5 file is read; no model is built."""


LOADERS_OF_FORMAT: Mapping[Format, tuple[Loader, ...]] = {
    Format.KERAS_H5: (Loader.KERAS, Loader.TF_KERAS),
    Format.KERAS_WEIGHTS_H5: (Loader.WEIGHTS, Loader.KERAS, Loader.TF_KERAS),
    Format.KERAS_V3: (Loader.KERAS, Loader.TF_KERAS),
    Format.SAVED_MODEL: (Loader.SAVED_MODEL, Loader.KERAS, Loader.TF_KERAS, Loader.KERAS_LAYER),
    Format.GRAPH_DEF: (Loader.GRAPH_DEF,),
    Format.CHECKPOINT: (Loader.CHECKPOINT, Loader.META_GRAPH, Loader.CHECKPOINT_SHARDS),
    Format.TFLITE: (Loader.TFLITE,),
}
"""The loaders that make sense of a format; the first is its default."""


class Device(StrEnum):
    CPU = "cpu"
    GPU = "gpu"


class Stage(StrEnum):
    LOAD = "load"
    INFER = "infer"
    COMPILE = "compile"
    RESAVE = "resave"
    """Saved again in another format: the first half of trying a remedy, never asked for by a spec."""
    COMPARE = "compare"
    """What was saved again computes what the original computed: the second half."""


class Outcome(StrEnum):
    PASSED = "passed"
    """It was loaded there."""
    FAILED = "failed"
    """It does not load there. A hang, a crash and memory beyond the limit are failures too."""
    ERROR = "error"
    """No verdict: the runtime could not be made, or the probe died of its own fault."""
    SKIPPED = "skipped"
    """Not tried, for the reason given."""


# --- artifacts ------------------------------------------------------------------------------------------------


class StandInKind(StrEnum):
    """Why the bytes under a model's name are not the model."""

    GIT_LFS_POINTER = "git_lfs_pointer"
    DVC_POINTER = "dvc_pointer"
    DANGLING_LINK = "dangling_link"
    """A symbolic link to what would lie in the repository and does not."""
    HTML = "html"
    JSON = "json"
    XML = "xml"
    TEXT = "text"
    """Any other text, where no format has any."""
    EMPTY = "empty"
    TRUNCATED = "truncated"
    MISSING_GRAPH = "missing_graph"
    MISSING_VARIABLES = "missing_variables"
    MISSING_SHARDS = "missing_shards"


@dataclass(frozen=True, slots=True, kw_only=True)
class StandIn:
    """What is where a model should be. It explains; the load is attempted all the same."""

    kind: StandInKind
    file: str
    """The file that gives it away, relative to the repository, with `/` between its parts."""
    detail: str
    """One line for a person, such as `points at 98,231,112 bytes, sha256 4d7a…`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedWith:
    """What a file says of its saver. None where the format does not record it or the file does not hold it."""

    tensorflow: str | None = None
    keras: str | None = None
    backend: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomObject:
    """A class or function that the saver's TensorFlow and Keras do not bring themselves."""

    name: str
    module: str | None = None
    registered_name: str | None = None
    """`package>name` where it was registered for serialisation; None where it was not."""
    where: str | None = None
    """The layer, or the field of the configuration, that needs it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LambdaLayer:
    """A layer whose code is stored in the artifact as Python bytecode."""

    name: str
    python: str | None = None
    """The Python versions whose bytecode this is, such as `3.8 to 3.10`; None where it cannot be told."""
    looks_up: tuple[str, ...] = ()
    """Names that its code takes from outside of itself, such as `tf`; those that Python brings are not among them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TensorSpec:
    name: str
    dtype: str
    """As NumPy spells it: `float32`, `int64`, `string`, …"""
    shape: tuple[int | None, ...] | None
    """None for an unknown rank; an element is None where that dimension is unknown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    name: str
    inputs: tuple[TensorSpec, ...] = ()
    outputs: tuple[TensorSpec, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What was read from an artifact without loading it. A file can lie: facts explain, they never decide."""

    saved_with: SavedWith = SavedWith()
    producer: int | None = None
    """GraphDef version of the TensorFlow that wrote the graph."""
    min_consumer: int | None = None
    layers: Mapping[str, int] = field(default_factory=dict)
    """Class of layer → how many, nested models included."""
    custom_objects: tuple[CustomObject, ...] = ()
    lambdas: tuple[LambdaLayer, ...] = ()
    constructs: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Class of object in a Keras configuration → what is written down of it, as far as another Keras minds; prediction
    rests on it. The empty name stands for the model as a whole."""
    ops: Mapping[str, int] = field(default_factory=dict)
    """Op type → how many, the function library included."""
    python_calls: tuple[str, ...] = ()
    """Nodes that call a Python function of the process that they run in (`py_function`): `node`, or `function/node` in
    the function library."""
    op_attributes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Op type → the attributes that its nodes have, which an older TensorFlow may not know."""
    custom_ops: tuple[str, ...] = ()
    """TFLite ops that the interpreter does not bring itself, without the Flex ones."""
    flex_ops: tuple[str, ...] = ()
    """TensorFlow ops in a TFLite model, which need the Flex delegate."""
    quantization: tuple[str, ...] = ()
    """Types of the quantised tensors of a TFLite model, such as `int8`."""
    devices: tuple[str, ...] = ()
    """Explicit device placements, as they are spelled in the graph."""
    signatures: tuple[Signature, ...] = ()
    tensors: int | None = None
    """How many stored tensors or weights there are, where this is known without reading them."""
    extra: Mapping[str, str] = field(default_factory=dict)
    """What one format alone records: `tags`, `date_saved`, `checkpoint_version`, `schema`, `runtime_version`, …"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Artifact:
    """One model on disk: a file or a directory."""

    path: str
    """Relative to the repository, with `/` between its parts. A checkpoint's path is its prefix."""
    format: Format
    files: tuple[str, ...]
    """Every file that belongs to it, relative to the repository, sorted."""
    bytes: int
    digest: str | None = None
    """`sha256:` and the hexadecimal digest over the names and contents of `files`."""
    facts: Facts | None = None
    """None where they could not be read; `stand_in`, `damage` or `unread` says why."""
    stand_in: StandIn | None = None
    damage: str | None = None
    """One line: what is wrong with the bytes, where it is no stand-in of a known kind."""
    unread: str | None = None
    """One line: why nothing is known of it but its format, where nothing need be wrong with the bytes: too large to be
    read, or not read in time."""
    hindrance: str | None = None
    """One line: why it cannot be tried in any runtime; None where it can."""
    unfollowed: bool = False
    """It is a symbolic link out of the repository: what it leads to is neither read nor loaded."""


# --- what the user wants --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """The line of the repository's own files from which something was taken."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirement:
    """A line for the resolver, as pip's requirements files spell it."""

    text: str
    origin: Origin | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GpuTarget:
    """What production has, where this machine may differ. None: not said."""

    driver: str | None = None
    cuda: str | None = None
    cudnn: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Runtime:
    """A named target environment, as it was asked for. What it turned out to be is its `Lock`.

    Exactly one of these holds: `interpreter` is given, `image` is given, or it is made with uv from the rest.
    """

    name: str
    python: str | None = None
    """Version such as `3.11` or `3.11.7`; None leaves it to what the TensorFlow asked for needs."""
    tensorflow: str | None = None
    """Version such as `2.15.1`, or a specifier such as `>=2.15,<2.16`; None where `requirements` bring it."""
    keras: str | None = None
    requirements: tuple[Requirement, ...] = ()
    """The lines of the requirements files, their own `-r` and `-c` already followed, then of `packages`."""
    constraints: tuple[Requirement, ...] = ()
    requirement_files: tuple[str, ...] = ()
    """The files that `requirements` names in the spec, relative to the repository; their lines are already above."""
    env: Mapping[str, str] = field(default_factory=dict)
    loaders: Mapping[Format, Loader] = field(default_factory=dict)
    imports: tuple[str, ...] = ()
    devices: tuple[Device, ...] = (Device.CPU,)
    artifacts: tuple[str, ...] = ()
    """Patterns of .gitignore for the artifacts that are loaded in it; none for all of them."""
    gpu: GpuTarget | None = None
    interpreter: str | None = None
    """Path of a Python that exists, relative to the repository or absolute."""
    image: str | None = None
    origin: Origin | None = None
    """Where it was declared, or the line from which it was inferred."""
    said_again: tuple[Origin, ...] = ()
    """Where else the same was found, when it was inferred."""
    key_lines: Mapping[str, int] = field(default_factory=dict)
    """Key of the spec, such as `tensorflow` → its line in the file of `origin`. Empty where it was inferred."""
    notes: tuple[str, ...] = ()
    """What a person should know of how it was chosen, one sentence each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checks:
    infer: bool = False
    compile: bool = False
    timeout: float = 300.0
    """Seconds a case may take, all its stages together."""
    memory: int | None = None
    """Bytes of resident memory that a case may take; None for what the size of its artifact makes likely."""

    @property
    def stages(self) -> tuple[Stage, ...]:
        """What every case goes through, in this order."""
        asked = {Stage.LOAD: True, Stage.INFER: self.infer, Stage.COMPILE: self.compile}
        return tuple(stage for stage, is_asked in asked.items() if is_asked)


class FailOn(StrEnum):
    ANY = "any"
    NEW = "new"
    NEVER = "never"


class GpuMissing(StrEnum):
    SKIP = "skip"
    FAIL = "fail"


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    fail_on: FailOn = FailOn.ANY
    gpu_missing: GpuMissing = GpuMissing.SKIP


@dataclass(frozen=True, slots=True, kw_only=True)
class RemedyBounds:
    """How much may be spent on trying remedies."""

    tried: bool = True
    """False: remedies are suggested and none is tried."""
    runtimes: int = 4
    """Environments that may be made for it. What the runtime's own environment can try does not count."""
    time: float = 300.0
    """Seconds after which no further remedy is begun."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spec:
    """`loadgate.yml`, or what was inferred in its place."""

    include: tuple[str, ...] = ()
    """Patterns as in .gitignore; empty means the whole repository."""
    exclude: tuple[str, ...] = ()
    loaders: Mapping[str, Loader] = field(default_factory=dict)
    """By pattern over artifact paths; the first that matches wins over the runtime's own choice."""
    runtimes: tuple[Runtime, ...] = ()
    checks: Checks = Checks()
    policy: Policy = Policy()
    remedies: RemedyBounds = RemedyBounds()
    file: str | None = None
    """Where it was read from; None where it was inferred."""
    notes: tuple[str, ...] = ()
    undecided: tuple[str, ...] = ()
    """The places that name a TensorFlow and could not be read, where the runtimes were inferred without them.

    Then no model is gated on them.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """artifact × runtime × device × loader: the unit of work."""

    id: str
    artifact: str
    """The artifact's path."""
    runtime: str
    device: Device
    loader: Loader
    loader_chosen: bool = False
    """True where the spec names the loader, False where it is the format's default."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Resave:
    """That a trial loads what another case of the same plan has saved again."""

    source: str
    """Id of the case that loads the original and saves it."""
    format: Format
    """The format in which it saves."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What a case of a plan of candidates is for. Exactly one of `mends`, `keeps`, `repairs` and `saves` is set."""

    case: str
    """Id of the case that is tried."""
    mends: str | None = None
    """Id of the failed case, in the plan before this one, that the remedy is for."""
    failed: tuple[Stage, ...] = (Stage.LOAD,)
    """What that case failed in: each of these has to pass for the remedy to be verified."""
    keeps: str | None = None
    """Id of the case that passed there, and has to pass with the remedy too."""
    repairs: str | None = None
    """Name of the runtime, there, that could not be made."""
    saves: Format | None = None
    """The format in which it saves the artifact for another trial."""
    remedy: Remedy | None = None
    """What is recommended where the case passes; None where the case only keeps or saves."""
    resave: Resave | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """Where a repository defines a class or function that a model needs."""

    name: str
    module: str
    file: str
    line: int
    registered_as: str | None
    """Under which name importing the module makes it known to Keras; None where it does not, or nobody can read it."""

    def entry(self, registered_name: str | None) -> str:
        """What stands for it under `imports:`, where a file calls it `registered_name`; None for its bare name.

        A file that was saved before the class was registered, or under another package, finds nothing by the module.
        """
        known = self.registered_as is not None and self.registered_as == registered_name
        return self.module if known else f"{self.module}:{self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What the plan phase found out, and all that the phases after it need to know."""

    version: int = 1
    loadgate: str = ""
    repository: str = ""
    """Absolute path of the repository on the machine that planned."""
    spec_file: str | None = None
    artifacts: tuple[Artifact, ...] = ()
    runtimes: tuple[Runtime, ...] = ()
    cases: tuple[Case, ...] = ()
    checks: Checks = Checks()
    policy: Policy = Policy()
    notes: tuple[str, ...] = ()
    """What a person should know of the plan as a whole, one sentence each, most important first."""
    checkouts: tuple[Origin, ...] = ()
    """Workflow steps that check out without Git LFS; empty where no artifact is a Git LFS pointer."""
    definitions: tuple[Definition, ...] = ()
    """Of what the artifacts need and the repository's own text defines."""
    remedies: RemedyBounds = RemedyBounds()
    trials: tuple[Trial, ...] = ()
    """In a plan of candidates: what each case is for. Empty in a plan of what the user asks."""

    def was_inferred(self, runtime: Runtime) -> bool:
        """Nobody wrote it into the spec: what is wrong in it is no mistake of the spec's."""
        return runtime.origin is not None and runtime.origin.file != self.spec_file


# --- runtimes made real ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Lock:
    """What a runtime turned out to be once it was made."""

    digest: str
    """`sha256:` and the hexadecimal digest over every field that can change an outcome."""
    interpreter: str
    """Absolute path of its Python on the machine that made it."""
    python: str
    """Full version, such as `3.10.13`."""
    implementation: str
    packages: Mapping[str, str]
    """Normalised distribution name → version."""
    tensorflow: str
    tensorflow_git: str | None = None
    keras: str | None = None
    """Version of the Keras that `tf.keras` is."""
    keras_module: str | None = None
    """`keras`, `tf_keras`, or the path inside TensorFlow that `tf.keras` is."""
    build: Mapping[str, str] = field(default_factory=dict)
    """TensorFlow's own build information: CUDA, cuDNN, compute capabilities."""
    machine: str = ""
    glibc: str | None = None
    cpu_features: tuple[str, ...] = ()
    driver: str | None = None
    """NVIDIA driver, where there is one."""
    image: str | None = None
    """ID of the container image that it is in; None where it is on the machine itself."""


class FindingKind(StrEnum):
    """At which step of being made a runtime failed."""

    PYTHON = "python"
    RESOLVE = "resolve"
    INSTALL = "install"
    IMPORT = "import"
    UNSUPPORTED = "unsupported"
    GPU = "gpu"
    """It was made, but will not use a GPU as it is asked to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Why a runtime could not be made, or cannot import TensorFlow. Reported once a runtime, not once a model."""

    kind: FindingKind
    cause: str
    """Stable id of the cause, such as `numpy_2`; `unknown` where no rule knows it."""
    headline: str
    """One sentence."""
    detail: str = ""
    """The resolver's or the interpreter's own words."""
    suggestion: str | None = None
    """What to change. Not verified."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RuntimeState:
    """What became of one runtime of the plan. Exactly one of `lock` and `finding` is set."""

    name: str
    lock: Lock | None = None
    finding: Finding | None = None
    asked: str | None = None
    """Digest of what was asked for, `asked.of_environment`; None where it is not known."""
    cached: bool = False
    """It was found in the cache, whole and healthy."""
    seconds: float = 0.0
    notes: tuple[str, ...] = ()
    """What a person should know, such as that tensorflow-cpu stands in."""
    warnings: tuple[Finding, ...] = ()
    """What will go wrong in it although it was made, such as that it can open no CUDA."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Locks:
    """What the provision phase made."""

    version: int = 1
    runtimes: tuple[RuntimeState, ...] = ()


# --- results --------------------------------------------------------------------------------------------------


class Reason(StrEnum):
    """Why an outcome is not `passed`."""

    EXCEPTION = "exception"
    CRASHED = "crashed"
    """A signal ended the process."""
    EXITED = "exited"
    """The process ended itself in the middle of the load."""
    TIMED_OUT = "timed_out"
    OUT_OF_MEMORY = "out_of_memory"
    WRONG_DEVICE = "wrong_device"
    """TensorFlow quietly did on the CPU what was asked of the GPU."""
    NO_GPU = "no_gpu"
    NO_LOADER = "no_loader"
    """The runtime does not have the API that the loader stands for."""
    NAME = "name"
    """The artifact's name is not UTF-8, so neither a plan nor TensorFlow can name it."""
    LINK = "link"
    """The artifact is a symbolic link out of the repository."""
    NOTHING_TO_RUN = "nothing_to_run"
    """The artifact has nothing that the stage could run."""
    EARLIER_STAGE = "earlier_stage"
    """The stage before it did not pass."""
    RUNTIME = "runtime"
    """The runtime could not be made, or cannot import TensorFlow."""
    IMPORTS = "imports"
    """A module under `imports:` could not be imported."""
    MACHINE = "machine"
    """The machine has less memory than the load may take, and the load took all of it."""
    PROBE = "probe"
    """The probe died of its own fault."""
    INTERRUPTED = "interrupted"
    PREDICTED = "predicted"
    """Nothing was to be loaded: what is expected was asked for, and that is no verdict."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExceptionInfo:
    """An exception of the runtime. Every string in it is hostile: the model's author may have chosen it."""

    type: str
    """Qualified name, such as `tensorflow.python.framework.errors_impl.NotFoundError`."""
    message: str
    traceback: str = ""
    chain: tuple[str, ...] = ()
    """`type: message` of the exceptions behind it, innermost last."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StageResult:
    stage: Stage
    outcome: Outcome
    seconds: float = 0.0
    reason: Reason | None = None
    """None exactly where the outcome is `passed`."""
    message: str = ""
    """One line for a person; empty where the outcome is `passed`."""
    exception: ExceptionInfo | None = None
    stack: str = ""
    """Where it hung or crashed, as faulthandler saw it."""


class Wall(StrEnum):
    """What a load is kept from by the sandbox of last resort."""

    FILES = "files"
    """It reads the system, its runtime and its artifact, and writes into its scratch directory."""
    NETWORK = "network"
    """No socket of it leads out of the machine, or to another program on it."""
    LOCAL_SOCKETS = "local_sockets"
    """It connects to no socket in the file system, such as Docker's."""
    PROCESSES = "processes"
    """It neither signals, traces nor looks into another process, nor changes its limits."""
    PRIVILEGES = "privileges"
    """It gains no rights by running a program, and has none of root's over the machine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseResult:
    """What happened to one case: one line of `results.jsonl`."""

    version: int = 1
    case: str
    """The case's id."""
    stages: tuple[StageResult, ...]
    api: str = ""
    """The call that was made, such as `keras.src.saving.saving_api.load_model`."""
    seconds: float = 0.0
    peak_memory: int | None = None
    """Bytes of resident memory at the most, TensorFlow itself included."""
    log: str = ""
    """What TensorFlow and the model wrote to standard output and error; the middle is cut out when it is long."""
    isolation: str = ""
    """`fork` or `process`."""
    walls: tuple[Wall, ...] | None = None
    """What the sandbox kept it from; None where it is not known, or where nothing was run."""
    attempts: int = 1
    artifact_digest: str | None = None
    lock_digest: str | None = None
    asked: str | None = None
    """Digest of what was asked of the runtime, `asked.of_loads`; None where it is not known."""

    @property
    def outcome(self) -> Outcome:
        """The worst of its stages, a failure before an error before a skip."""
        outcomes = {stage.outcome for stage in self.stages}
        for outcome in (Outcome.FAILED, Outcome.ERROR, Outcome.PASSED):
            if outcome in outcomes:
                return outcome
        return Outcome.SKIPPED

    @property
    def failed(self) -> tuple[Stage, ...]:
        return tuple(each.stage for each in self.stages if each.outcome is Outcome.FAILED)


# --- knowing why ----------------------------------------------------------------------------------------------


class Side(StrEnum):
    """Where a piece of evidence was seen."""

    ARTIFACT = "artifact"
    RUNTIME = "runtime"
    LOAD = "load"


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    side: Side
    text: str
    """One line, such as `keras_version 2.15.0 in its attributes`. Hostile where it quotes the artifact or the load."""


class Confidence(StrEnum):
    CERTAIN = "certain"
    """The evidence leaves no other cause that was ever measured."""
    LIKELY = "likely"
    """It fits and nothing contradicts it, but another cause could look the same."""
    UNKNOWN = "unknown"
    """No rule fits; what is said is only what was seen."""


class RemedyKind(StrEnum):
    """What a remedy changes, nearest to production's own choice first."""

    IMPORT = "import"
    """A module under `imports:`, which registers custom objects."""
    LOADER = "loader"
    PACKAGE = "package"
    ENVIRONMENT = "environment"
    """An environment variable, with the packages that it needs."""
    KERAS = "keras"
    TENSORFLOW = "tensorflow"
    PYTHON = "python"
    RESAVE = "resave"
    """The artifact, saved again in a format that the target reads."""
    FILE = "file"
    """The artifact's bytes must be fetched, completed or replaced; nothing that loadgate can try."""
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """A remedy that a rule asks to be tried; what it comes to in this runtime is worked out later."""

    kind: RemedyKind
    value: str = ""
    """What the kind needs: a requirement, a module, `NAME=value`, a loader; empty where it follows from the facts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """One line of the user's own files, before and after."""

    file: str
    line: int | None = None
    """None where the line is to be added."""
    old: str | None = None
    new: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Remedy:
    kind: RemedyKind
    headline: str
    """What to do, as a sentence that starts with a verb."""
    verified: bool = False
    """It was tried, the artifact loaded and what had failed passed; otherwise it is a suggestion."""
    edits: tuple[Edit, ...] = ()
    command: str | None = None
    """What to run, where the change is not to a file of text."""
    tried_in: str | None = None
    """The runtime in which it was verified, in words."""
    seconds: float | None = None
    """What trying it took, the making of the runtime included."""
    why_not_verified: str = ""
    keeps: int = 0
    """How many other artifacts load there as they did before."""
    breaks: tuple[str, ...] = ()
    """Artifacts that loaded before and do not with it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """Why a case failed, or what a case that passed changed without saying so."""

    cause: str
    """Stable id, which is also the name of its page in the docs; `unknown` where no rule fits."""
    headline: str
    """One sentence."""
    confidence: Confidence
    explanation: str = ""
    evidence: tuple[Evidence, ...] = ()
    proposals: tuple[Proposal, ...] = ()
    """What is worth trying, nearest first."""
    remedies: tuple[Remedy, ...] = ()
    """Best first: what was verified before what was not."""


class Forecast(StrEnum):
    WILL_LOAD = "will_load"
    WILL_NOT_LOAD = "will_not_load"
    NOT_KNOWN = "not_known"


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction:
    """What is expected before a load, from facts and versions alone. Never an outcome."""

    forecast: Forecast
    cause: str | None = None
    """The cause expected, where it will not load."""
    headline: str = ""
    measured: str = ""
    """The measurement behind it, such as `12 of 12 such files saved by 2.15 loaded in 2.16`."""
