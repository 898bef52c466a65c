"""Start probes in here for somebody who cannot: `<the image's python> .../probe/__main__.py --listen SOCKET`.

Whoever connects first sends one JSON line with `scratch`, a directory to make, and `env`, variables to add to those of
the image. From then on the connection is a probe's requests and replies. When either side ends, so does the other.
"""

import json
import os
import select
import socket
import subprocess
import sys
from typing import Any, Dict, List

from . import kernel, removal

LINE_LIMIT = 1024 * 1024
GREETING_SECONDS = 10
LAST_WORDS = 16384
"""Bytes of a probe's own output that are passed on when it has ended."""


class Probe:
    """A process, and the connection that it speaks through."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        connection.settimeout(GREETING_SECONDS)
        asked = greeting(connection)
        connection.settimeout(None)
        self.scratch = asked["scratch"]
        os.mkdir(self.scratch, 0o700)
        self.log = os.path.join(self.scratch, "probe.log")
        main = os.path.join(os.path.dirname(os.path.abspath(__file__)), "__main__.py")
        descriptor = connection.fileno()
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(  # noqa: S603 - this very program, in another role
                [sys.executable, main, str(descriptor), str(descriptor)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**kernel.HUGE_PAGES, **os.environ, **asked["env"]},
                cwd=self.scratch,
                pass_fds=(descriptor,),
                start_new_session=True,
            )

    def end(self, others: List["Probe"]) -> None:
        """Kill what is left of it, also what outlived it and is our child now, and say what it wrote."""
        kernel.kill(kernel.descendants(self.process.pid) + [self.process.pid])
        self.process.wait()
        alive = {each.process.pid for each in others}
        for orphan in kernel.children(os.getpid()):
            if orphan not in alive:
                kernel.kill(kernel.descendants(orphan) + [orphan])
                kernel.collect(orphan)
        self.say_last_words()
        self.connection.close()
        removal.remove(self.scratch)

    def say_last_words(self) -> None:
        try:
            with open(self.log, "rb") as log:
                words = log.read()[-LAST_WORDS:].decode("utf-8", "replace")
            self.connection.settimeout(1)
            self.connection.sendall(json.dumps({"event": "ended", "message": words}).encode("ascii") + b"\n")
        except OSError:
            # whoever asked for it has gone
            return


def greeting(connection: socket.socket) -> Dict[str, Any]:
    """Byte by byte, since what follows the line is for the probe."""
    line = b""
    while not line.endswith(b"\n"):
        byte = connection.recv(1)
        if not byte or len(line) > LINE_LIMIT:
            raise ValueError("no greeting")
        line += byte
    return dict(json.loads(line.decode("utf-8")))


def listen(path: str) -> None:
    kernel.adopt_orphans()
    if os.path.exists(path):  # an earlier life of this container
        os.unlink(path)
    door = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    door.bind(path)
    os.chmod(path, 0o666)  # noqa: S103 - who loads is another user than who serves, and others cannot pass to it
    door.listen(16)
    probes = []  # type: List[Probe]
    while True:
        poll = select.poll()
        poll.register(door, select.POLLIN)
        for probe in probes:
            # what can be read is the probe's business; that nobody writes any more is ours
            poll.register(probe.connection, select.POLLRDHUP)
        ready = {descriptor for descriptor, _ in poll.poll(200)}
        if door.fileno() in ready:
            connection, _ = door.accept()
            try:
                probes.append(Probe(connection))
            except (OSError, ValueError, KeyError):
                connection.close()
        gone = [probe for probe in probes if probe.connection.fileno() in ready or probe.process.poll() is not None]
        for probe in gone:
            probes.remove(probe)
            probe.end(probes)
