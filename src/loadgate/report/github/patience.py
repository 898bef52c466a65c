"""How long to wait before asking GitHub again, as its documentation of rate limits says, and when to give up."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

T = TypeVar("T")

PASSING = frozenset({408, 409, 425, 500, 502, 503, 504})
LIMITED = frozenset({403, 429})
FIRST_WAIT = 1.0
FIRST_WAIT_OF_SECONDARY_LIMIT = 60.0
"""GitHub: `wait for at least one minute before retrying`, then for exponentially longer."""


class GitHubError(Exception):
    """GitHub did not do what it was asked. `status` is None where no answer came at all."""

    def __init__(self, message: str, status: int | None = None, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(f"{status} {message}" if status else message)
        self.status = status
        self.message = message
        self.headers = {key.lower(): value for key, value in (headers or {}).items()}


def wait_after(error: GitHubError, attempt: int, now: float) -> float | None:
    """Seconds until another attempt makes sense, the first being number 1; None where none will. `now` is Unix time."""
    if error.status is None or error.status in PASSING:
        return _seconds(error.headers.get("retry-after")) or FIRST_WAIT * float(2 ** (attempt - 1))
    if error.status not in LIMITED:
        return None
    told = _seconds(error.headers.get("retry-after"))
    if told is not None:
        return told
    if error.headers.get("x-ratelimit-remaining") == "0":
        reset = _seconds(error.headers.get("x-ratelimit-reset"))
        return max(0.0, reset - now) + 1 if reset is not None else FIRST_WAIT_OF_SECONDARY_LIMIT
    if error.status == 429 or "rate limit" in error.message.lower():  # noqa: PLR2004 - Too Many Requests
        return FIRST_WAIT_OF_SECONDARY_LIMIT * float(2 ** (attempt - 1))
    return None


def _seconds(text: str | None) -> float | None:
    return float(text) if text and text.isdigit() and len(text) <= 12 else None  # noqa: PLR2004 - a Unix time, and more


@dataclass(slots=True)
class Patience:
    """Repeats what did not work, as long as that is worth it. What is repeated must look before it writes."""

    attempts: int = 5
    most: float = 300.0
    """Seconds spent waiting in all, for everything that is posted together."""
    sleep: Callable[[float], None] = time.sleep
    now: Callable[[], float] = time.time
    waited: float = field(default=0.0, init=False)

    def carry_out(self, procedure: Callable[[], T]) -> T:
        """Raises the last GitHubError where patience ends."""
        attempt = 1
        while True:
            try:
                return procedure()
            except GitHubError as error:
                wait = wait_after(error, attempt, self.now())
                if wait is None or attempt >= self.attempts or self.waited + wait > self.most:
                    raise
            self.sleep(wait)
            self.waited += wait
            attempt += 1
