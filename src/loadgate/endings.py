"""How the command ends: with one line and a status where that was to be expected, and never by a traceback alone."""

from __future__ import annotations

import errno
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TextIO

import click

from loadgate import __version__, untrusted
from loadgate.errors import INTERRUPTED, LoadgateError

EXHAUSTED = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO, errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EAGAIN)
"""What a machine that has nothing left says, wherever it is asked for more."""
STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def run(command: click.Command) -> None:
    """Run it, and end the process: with 130 where it was interrupted, and saying so where it is our own bug."""
    open_missing_streams()
    for number in STOPPING:
        if signal.getsignal(number) is not signal.SIG_IGN:  # as nohup, and a script's `&`, want it
            signal.signal(number, interrupt)
    try:
        command(standalone_mode=False)
    except click.exceptions.Abort:
        sys.exit(INTERRUPTED)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except click.ClickException as error:
        with suppress(OSError):
            error.show()
        sys.exit(2)
    except LoadgateError as error:
        with suppress(OSError):
            tell(f"loadgate: {error}")
        sys.exit(error.exit_status)
    except BrokenPipeError:
        silence(sys.stdout)
        sys.exit(INTERRUPTED)
    except Exception as error:  # noqa: BLE001 - whatever it is, the person gets a line that says what to do with it
        tell_of_the_machine(error)
        import traceback

        tell(traceback.format_exc().rstrip())
        tell(f"loadgate {__version__}: this is a bug of ours; please report it with the lines above")
        sys.exit(3)


def tell(text: str) -> None:
    """To standard error. It may name what a stranger called so, in a job whose log is read for commands."""
    click.echo(untrusted.without_commands(untrusted.visible(text)), err=True)


@contextmanager
def whoever_reads() -> Iterator[None]:
    """Print to somebody who may stop reading, or to a disk that may be full: the exit status stands either way."""
    try:
        yield
    except BrokenPipeError:
        silence(sys.stdout)
    except OSError as error:
        silence(sys.stdout)
        raise LoadgateError(f"standard output cannot be written: {error.strerror}") from error


def silence(stream: TextIO) -> None:
    """Let what is still in the buffer go nowhere: Python would complain once more when it closes the stream."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def open_missing_streams() -> None:
    """Give a process that was started without standard streams (`2>&-`) some that go nowhere.

    Without them the next file to be opened would be taken for one.
    """
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
    sys.stdout = sys.stdout or open(1, "w", encoding="utf-8")  # noqa: SIM115 - open for as long as we live
    sys.stderr = sys.stderr or open(2, "w", encoding="utf-8")  # noqa: SIM115 - open for as long as we live


def interrupt(_number: int, _frame: object) -> None:
    """Raise KeyboardInterrupt, once: a second Ctrl-C must not stop the first from ending what the run has started."""
    for number in STOPPING:
        signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt


def tell_of_the_machine(error: Exception) -> None:
    """End with one line where it is the machine that fails, and not we; return where it is not."""
    if isinstance(error, MemoryError):
        what = "this machine has no memory left"
    elif isinstance(error, OSError) and error.errno in EXHAUSTED:
        what = f"{error.filename}: {error.strerror}" if error.filename else str(error.strerror)
    else:
        return
    with suppress(OSError):
        tell(f"loadgate: {what}; make room and run it again")
    sys.exit(3)
