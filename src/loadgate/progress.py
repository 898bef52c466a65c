"""What the long phases tell about themselves while they run. Who shows it, and where, is the caller's business."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Protocol

from loadgate.domain import Case, CaseResult, RuntimeState


class Progress(Protocol):
    """May be called from several threads at once."""

    def runtime_started(self, name: str) -> None: ...

    def runtime_step(self, name: str, step: str) -> None:
        """`step` says what is done now, such as `installing 47 packages`."""

    def runtime_finished(self, state: RuntimeState) -> None: ...

    def case_started(self, case: Case) -> None: ...

    def case_finished(self, case: Case, result: CaseResult) -> None: ...


class ShowProgress(Protocol):
    """Shows a round of so many cases while it lasts."""

    def __call__(self, *, cases: int, remedies: bool = False) -> AbstractContextManager[Progress]:
        """`remedies`: they are trials of what might mend failures."""


class Silent:
    """Tells nobody."""

    def runtime_started(self, name: str) -> None:
        pass

    def runtime_step(self, name: str, step: str) -> None:
        pass

    def runtime_finished(self, state: RuntimeState) -> None:
        pass

    def case_started(self, case: Case) -> None:
        pass

    def case_finished(self, case: Case, result: CaseResult) -> None:
        pass
