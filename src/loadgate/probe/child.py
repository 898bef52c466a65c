"""What one case does in its own process: close what is not its business, load, say how each stage ended.

It reports one JSON line a stage as soon as the stage has ended, so that a crash in a later stage takes nothing from an
earlier one.
"""

import faulthandler
import gc
import json
import os
import signal
import sys
import tempfile
import time
import traceback
from typing import Any, Callable, Dict, List, NamedTuple, Optional

from . import confinement, devices, inference, kernel, loaders, resave, runtime

TEXT_LIMIT = 65536
"""Characters of a message or a traceback that are passed on."""
CHAIN_LIMIT = 20
DUMP_SIGNAL = signal.SIGUSR2


def cut(text: str, limit: int = TEXT_LIMIT) -> str:
    if len(text) <= limit:
        return text
    half = limit // 2
    return "%s\n... %d characters cut out ...\n%s" % (text[:half], len(text) - 2 * half, text[-half:])


def described(make: Callable[[], str]) -> str:
    """What `make` gives; the classes of a model's author may raise even when asked for their text."""
    try:
        return cut(str(make()))
    except BaseException as error:  # noqa: BLE001 - whatever it raises, the case has a verdict already
        return "<no text: %s>" % type(error).__name__


def type_name(error: BaseException) -> str:
    kind = type(error)
    return kind.__name__ if kind.__module__ == "builtins" else "%s.%s" % (kind.__module__, kind.__qualname__)


def exception_chain(error: BaseException) -> List[str]:
    chain: List[str] = []
    seen = {id(error)}
    behind: Optional[BaseException] = error.__cause__ or error.__context__
    while behind is not None and id(behind) not in seen and len(chain) < CHAIN_LIMIT:
        seen.add(id(behind))
        text = behind
        chain.append("%s: %s" % (type_name(behind), cut(described(lambda e=text: str(e)), 4096)))  # type: ignore[misc]  # mypy cannot type a lambda's default
        behind = behind.__cause__ or behind.__context__
    return chain


def exception_details(error: BaseException) -> Dict[str, Any]:
    return {
        "type": described(lambda: type_name(error)),
        "message": described(lambda: str(error)),
        "traceback": described(lambda: "".join(traceback.format_exception(type(error), error, error.__traceback__))),
        "chain": exception_chain(error),
    }


def reason_of(error: BaseException) -> str:
    if isinstance(error, MemoryError):
        return "out_of_memory"
    if isinstance(error, loaders.LoaderMissing):
        return "no_loader"
    if isinstance(error, devices.WrongDevice):
        return "wrong_device"
    if isinstance(error, inference.NothingToRun):
        return "nothing_to_run"
    return "exception"


class Reporter:
    """Writes lines to the result pipe, one JSON object each."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor

    def write(self, message: Dict[str, Any]) -> None:
        data = json.dumps(message).encode("ascii") + b"\n"
        while data:
            data = data[os.write(self.descriptor, data) :]

    def stage(self, name: str, action: Callable[[Callable[[str], None]], Any]) -> bool:
        """Run one stage and say how it ended; True where the next one may follow."""
        started = time.monotonic()
        message: Dict[str, Any] = {"stage": name, "api": "", "reason": None}

        def called(api: str) -> None:
            message["api"] = api

        try:
            action(called)
        except BaseException as error:  # noqa: BLE001 - sys.exit and KeyboardInterrupt in a model are its failure too
            message["reason"] = reason_of(error)
            message["exception"] = exception_details(error)
        message["seconds"] = time.monotonic() - started
        self.write(message)
        return message["reason"] is None


def settle(descriptors: Dict[str, int], scratch: str, held: List[int]) -> None:
    """Take the case's own descriptors and directory, and let everything else go but what is `held`."""
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.dup2(descriptors["log"], 1)
    os.dup2(descriptors["log"], 2)
    kept = [0, 1, 2, descriptors["result"], descriptors["stack"]] + held
    for name in os.listdir("/proc/self/fd"):
        if int(name) not in kept:
            try:
                os.close(int(name))
            except OSError:
                # the descriptor of the listing itself
                continue
    sys.stdin = open(os.devnull)  # noqa: SIM115 - open until the process ends
    os.chdir(scratch)
    os.environ["HOME"] = os.environ["TMPDIR"] = scratch
    tempfile.tempdir = None  # it may hold what was asked for before the fork
    faulthandler.enable(file=descriptors["stack"])
    faulthandler.register(DUMP_SIGNAL, file=descriptors["stack"], all_threads=True)


class Cell(NamedTuple):
    """What one case has to itself."""

    descriptors: Dict[str, int]
    scratch: str
    walls: confinement.Walls


def run(request: Dict[str, Any], cell: Cell, parent: int, prepared: bool) -> None:
    """Run the stages of one case and end the process. `prepared`: the parent has imported TensorFlow already."""
    os.setsid()
    kernel.die_with_parent(parent)
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    confinement.limit(request["disk"])
    settle(cell.descriptors, cell.scratch, cell.walls.close(request["artifact"], cell.scratch))
    gc.disable()
    report = Reporter(cell.descriptors["result"])
    if not prepared and not report.stage("import", lambda _called: runtime.prepare(request)):
        os._exit(0)
    loaded: List[Any] = []

    def load(called: Callable[[str], None]) -> None:
        devices.require(request["device"])
        loaded.append(loaders.LOADERS[request["loader"]](request["path"], called))

    def infer(called: Callable[[str], None]) -> None:
        inference.run(request["loader"], loaded[0], request["device"], called)

    def compiled(called: Callable[[str], None]) -> None:
        if request["loader"] not in ("keras", "tf_keras"):
            raise inference.NothingToRun("only Keras keeps a loss, metrics and an optimizer")
        # two of a large model may be more than the machine has
        del loaded[:]
        gc.collect()
        loaders.compiled(request["loader"], request["path"], called)

    def save(called: Callable[[str], None]) -> None:
        resave.save(loaded[0], request["saves"], os.path.join(cell.scratch, resave.PRODUCT), called)

    def compare(called: Callable[[str], None]) -> None:
        resave.compare(loaded[0], request["product"], called)

    actions = {"load": load, "infer": infer, "compile": compiled, "resave": save, "compare": compare}
    for stage in request["stages"]:
        if not report.stage(stage, actions[stage]) and stage == "load":
            break
    # the interpreter's own farewell costs a second with TensorFlow in it, and nothing of it is of interest
    os._exit(0)
