"""The one error of everything that makes a runtime."""

from __future__ import annotations

from loadgate.domain import Finding


class NotMadeError(Exception):
    """A runtime could not be made. Its finding is what the user reads; other runtimes are made all the same."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.headline)
        self.finding = finding
