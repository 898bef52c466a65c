"""Errors that somebody acts on. Each message says where, what is wrong and what to do, on one line."""

INTERRUPTED = 130
"""Exit status of a run that somebody stopped: 128 and SIGINT, as shells say it."""


class LoadgateError(Exception):
    """An expected ending: printed as one line, never as a traceback."""

    exit_status = 3


class UsageError(LoadgateError):
    """The call or the spec is wrong, and nothing has run."""

    exit_status = 2
