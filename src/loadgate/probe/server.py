"""The parent of all cases of one runtime: imports TensorFlow once, forks a child a case, lets none escape.

It speaks JSON lines on two inherited descriptors. In: `prepare`, then any number of `run`. Out: `listening`, `ready` or
`broken`, then `done` for each run. When the other side closes, every child is killed. What a child says is passed on
unread.
"""

import gc
import json
import os
import selectors
import signal
import sys
import tempfile
import time
import traceback
from typing import Any, Dict, Iterable, Iterator, List, Optional, TypeVar

from . import child, confinement, image_walls, kernel, removal, resave, runtime, warm

RESULT_LIMIT = 4 * 1024 * 1024
LOG_EDGE = 32768
"""Bytes that are kept of a log's beginning, and as many of its end."""
PROCESS_LIMIT = 64
"""Processes that one case may have at once."""
THREAD_LIMIT = 2048
FILE_LIMIT = 20000
"""Files that one case may have in its directory at once."""
SUDDEN = 64
"""So many new threads on the whole machine are a reason to count the processes of all cases at once."""
POLL_SECONDS = 0.02
GLANCE_SECONDS = 0.02
"""How long work for one case may go on before the memory of all is looked at: they fill 100 MiB in that time."""
FAMILY_SECONDS = 0.5
"""How often the processes of all cases are counted, which means a look at each of their threads."""
IMPORT_SECONDS = 600
"""What a case that imports TensorFlow itself is given for that."""
DUMP_SECONDS = 0.5
"""What faulthandler is given to write down where a case hangs."""
BUSY_SECONDS = 0.03
"""What a loop computes in that time even on a crowded machine, and writing down where it is does not."""

T = TypeVar("T")


class Stream:
    """What a child writes to one pipe, up to a limit; with `tail`, the end is kept as well as the beginning."""

    def __init__(self, limit: int, tail: int = 0) -> None:
        self.read_end, self.write_end = os.pipe()
        os.set_blocking(self.read_end, False)
        self.limit = limit
        self.tail = tail
        self.total = 0
        self.beginning = bytearray()
        self.end = bytearray()

    def drain(self, chunks: int = 64) -> bool:
        """Read what is there, at most `chunks` times 64 KiB so that no writer holds up the others; False at the end."""
        for _ in range(chunks):
            try:
                data = os.read(self.read_end, 65536)
            except BlockingIOError:
                return True
            if not data:
                return False
            self.total += len(data)
            room = self.limit - len(self.beginning)
            self.beginning += data[:room]
            if self.tail:
                self.end = (self.end + data[room:])[-self.tail :]
        return True

    def text(self) -> str:
        missing = self.total - len(self.beginning) - len(self.end)
        cut = ("\n... %d bytes cut out ...\n" % missing).encode() if missing and self.tail else b""
        return bytes(self.beginning + cut + self.end).decode("utf-8", "replace")


class Run:
    """One case under way."""

    def __init__(self, request: Dict[str, Any], scratch: str, importing: bool) -> None:
        self.request = request
        self.scratch = scratch
        self.result = Stream(RESULT_LIMIT)
        self.stack = Stream(LOG_EDGE)
        self.log = Stream(LOG_EDGE, LOG_EDGE)
        self.started = time.monotonic()
        self.importing = importing
        self.deadline = self.started + (IMPORT_SECONDS if importing else request["timeout"])
        self.killed: Optional[str] = None
        self.kill_at: Optional[float] = None
        self.computed = 0.0
        self.busy = False
        self.process = 0

    @property
    def streams(self) -> List[Stream]:
        return [self.result, self.stack, self.log]

    def start(self, prepared: bool, walls: confinement.Walls) -> None:
        parent = os.getpid()
        self.process = os.fork()
        if self.process == 0:
            try:
                ends = {"result": self.result.write_end, "stack": self.stack.write_end, "log": self.log.write_end}
                child.run(self.request, child.Cell(ends, self.scratch, walls), parent, prepared)
            finally:
                # a child never returns into the parent's loop, whatever the model raised
                os._exit(70)
        for stream in self.streams:
            os.close(stream.write_end)

    def notice_import(self, now: float) -> None:
        """Importing TensorFlow is not the model's own time: its time begins once the import has been reported."""
        if self.importing and self.result.total:
            self.importing = False
            self.deadline = now + self.request["timeout"]

    def stop(self, reason: str, now: float, dump: bool = True) -> None:
        """Kill it, and first let it write down where it is."""
        self.killed = reason
        self.kill_at = now
        if dump:
            self.kill_at += DUMP_SECONDS
            self.computed = kernel.cpu_seconds(self.process)
            kernel.signal_process(self.process, child.DUMP_SIGNAL)

    def kill(self) -> None:
        # whether it loops or waits for a lock shows in whether it still computes, not in how much it has
        self.busy = self.busy or kernel.cpu_seconds(self.process) - self.computed > BUSY_SECONDS
        kernel.kill([self.process])


class Server:
    def __init__(self, requests: int, replies: int) -> None:
        self.requests = requests
        self.replies = replies
        self.buffer = bytearray()
        self.runs: Dict[int, Run] = {}
        self.selector = selectors.DefaultSelector()
        self.prepared = False
        self.baseline = 0
        self.glanced = 0.0
        self.families_seen = 0.0
        self.tasks_seen = 0
        self.walls: Optional[confinement.Walls] = None
        self.orphaned = False

    def say(self, message: Dict[str, Any]) -> None:
        data = json.dumps(message).encode("ascii") + b"\n"
        while data:
            data = data[os.write(self.replies, data) :]

    def listen(self) -> None:
        kernel.adopt_orphans()
        woken, wake = os.pipe()
        os.set_blocking(woken, False)
        os.set_blocking(wake, False)
        signal.set_wakeup_fd(wake)
        signal.signal(signal.SIGCHLD, lambda _number, _frame: None)
        self.selector.register(self.requests, selectors.EVENT_READ, "requests")
        self.selector.register(woken, selectors.EVENT_READ, "child")
        self.say({"event": "listening"})
        while True:
            for key, _ in self.selector.select(POLL_SECONDS if self.runs or self.orphaned else None):
                if key.data == "requests":
                    if not self.take_requests():
                        return
                elif key.data == "child":
                    os.read(woken, 4096)
                elif not key.data.drain():
                    self.selector.unregister(key.fileobj)
            self.reap()
            if self.orphaned:
                self.kill_orphans()
            self.watch(time.monotonic())

    def take_requests(self) -> bool:
        data = os.read(self.requests, 1048576)
        if not data:
            return False
        self.buffer += data
        while b"\n" in self.buffer:
            line, _, rest = bytes(self.buffer).partition(b"\n")
            self.buffer = bytearray(rest)
            request = json.loads(line.decode("utf-8"))
            if request["do"] == "walls":
                self.put_up_walls(request)
            elif request["do"] == "prepare":
                self.prepare(request)
            else:
                self.begin(request)
        return True

    def put_up_walls(self, request: Dict[str, Any]) -> None:
        if "refused" in request:
            request = image_walls.completed(request)
            self.say({"event": "walls", "landlock": request["landlock"], "seccomp": request["seccomp"]})
        self.walls = confinement.Walls(request)

    def prepare(self, request: Dict[str, Any]) -> None:
        """Import TensorFlow here, so that no case has to, and say whether this process may be forked afterwards."""
        started = time.monotonic()
        # A tenth of the time that importing TensorFlow takes goes into looking for garbage, of which there is little.
        # To collect that at the end would cost more again than it spares the children.
        gc.disable()
        try:
            version = runtime.prepare(dict(request, imports=[]))
            threads = runtime.threads()
            if request["warm"]:
                threads += warm.up()
            runtime.prepare(request)
        except BaseException as error:  # noqa: BLE001 - a module under imports: may well call sys.exit
            text = child.described(lambda error=error: str(error))  # type: ignore[misc]  # mypy cannot type a default
            self.say(
                {
                    "event": "broken",
                    "imports": isinstance(error, runtime.ImportsFailed),
                    "message": text,
                    "traceback": child.cut(traceback.format_exc()),
                }
            )
            return
        self.prepared = True
        forkable = not runtime.has_eager_context() and runtime.threads() == threads
        if hasattr(gc, "freeze"):  # not in Python 3.6
            gc.freeze()
        kernel.tidy_heap()
        self.baseline = kernel.resident(os.getpid())[1]
        self.say(
            {
                "event": "ready",
                "version": version,
                "forkable": forkable,
                "seconds": time.monotonic() - started,
            }
        )

    def begin(self, request: Dict[str, Any]) -> None:
        assert self.walls is not None  # noqa: S101 - they come first
        # a name that no other case can guess: what is not seen behind its walls can still be touched by name
        scratch = tempfile.mkdtemp(prefix="case-", dir=request["scratch"])
        run = Run(request, scratch, importing=not self.prepared)
        sys.stdout.flush()
        sys.stderr.flush()
        run.start(self.prepared, self.walls)
        self.runs[run.process] = run
        for stream in run.streams:
            self.selector.register(stream.read_end, selectors.EVENT_READ, stream)

    def reap(self) -> None:
        while True:
            try:
                process, status, usage = os.wait4(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if process == 0:
                return
            run = self.runs.pop(process, None)
            if run is not None:
                self.finish(run, status, usage)

    def finish(self, run: Run, status: int, usage: Any) -> None:
        kernel.kill_group(run.process)
        self.kill_orphans()
        for stream in run.streams:
            stream.drain()
            if stream.read_end in self.selector.get_map():
                self.selector.unregister(stream.read_end)
            os.close(stream.read_end)
        if run.request.get("saves"):
            resave.keep(run.scratch, os.path.join(run.request["scratch"], run.request["kept"]))
        removal.remove(run.scratch, meanwhile=self.glance)
        self.say(
            {
                "event": "done",
                "case": run.request["case"],
                "exit": os.WEXITSTATUS(status) if os.WIFEXITED(status) else None,
                "signal": os.WTERMSIG(status) if os.WIFSIGNALED(status) else None,
                "killed": run.killed,
                "lines": run.result.text().splitlines(),
                "log": run.log.text(),
                "stack": run.stack.text(),
                "seconds": time.monotonic() - run.started,
                "busy": run.busy,
                "peak_memory": usage.ru_maxrss * 1024,
            }
        )

    def kill_orphans(self) -> None:
        """Kill what outlived its case: it is our child now, without being a case.

        Some start others faster than we count, so this goes on with every look at the cases until none is left.
        """
        orphans = [process for process in kernel.children(os.getpid()) if process not in self.runs]
        self.orphaned = bool(orphans)
        for process in orphans:
            kernel.kill_with_group(process, spared=self.runs)
            kernel.kill(kernel.descendants(process))
            kernel.collect(process)

    def watch(self, now: float) -> None:
        """Hold every case to its time, its memory, its disk and its number of processes."""
        if not self.runs:
            return
        tasks = kernel.tasks_of_the_machine()
        count = now - self.families_seen > FAMILY_SECONDS or tasks > self.tasks_seen + SUDDEN
        if count:
            self.families_seen = now
            self.tasks_seen = tasks
        for run in self.runs.values():
            if run.kill_at is not None:
                if now >= run.kill_at:
                    run.kill()
                continue
            run.notice_import(now)
            beyond = self.beyond(run, kernel.descendants(run.process) if count else [], count)
            if beyond:
                run.stop(beyond, now, dump=False)
            elif now > run.deadline:
                run.stop("timeout", now)

    def beyond(self, run: Run, family: List[int], thorough: bool) -> Optional[str]:
        """Which of its limits a case is beyond. Only a `thorough` look sees what its processes hold and write."""
        used = kernel.resident(run.process)[0]
        if thorough:
            used += sum(max(0, kernel.resident(each)[1] - self.baseline) for each in family)
            processes = [run.process] + family
            held = list(self.glancing(kernel.descriptors(processes)))
            used += self.shared_by(run.process, family) + kernel.buffered(held)
            if len(family) > PROCESS_LIMIT or sum(map(kernel.threads, processes)) > THREAD_LIMIT:
                return "processes"
            size, files = kernel.written(run.scratch, FILE_LIMIT)
            hides = files > FILE_LIMIT or kernel.on_their_way(self.glancing(held)) > 0
            if hides or size + kernel.nameless(self.glancing(processes), held) > run.request["disk"]:
                return "disk"
        return "memory" if used > run.request["memory"] else None

    def shared_by(self, process: int, family: List[int]) -> int:
        """Bytes that the family has in shared memory, beyond what counts as its first process's own already."""
        whole, part = kernel.shared(process)
        return part - whole + sum(kernel.shared(each)[1] for each in self.glancing(family))

    def glancing(self, work: Iterable[T]) -> Iterator[T]:
        for each in work:
            self.glance()
            yield each

    def glance(self) -> None:
        """Hold every case to its memory as far as its first process goes: what cannot wait until all else is seen."""
        now = time.monotonic()
        if now - self.glanced < GLANCE_SECONDS:
            return
        self.glanced = now
        for run in self.runs.values():
            if run.kill_at is None and kernel.resident(run.process)[0] > run.request["memory"]:
                run.stop("memory", now, dump=False)
                run.kill()


def serve(requests: int, replies: int) -> None:
    kernel.forget_huge_pages()
    server = Server(requests, replies)
    try:
        server.listen()
    finally:
        kernel.kill(kernel.descendants(os.getpid()))
        os._exit(0)
