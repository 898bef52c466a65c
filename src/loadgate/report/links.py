"""Addresses on GitHub of what a report names. Only the host's own base is taken as it is; the rest is escaped."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

from loadgate.domain import Origin
from loadgate.report.wording import path_bytes

GITHUB = "https://github.com"


@dataclass(frozen=True, slots=True, kw_only=True)
class Links:
    """Where a run is on GitHub. Empty where it is not."""

    server: str = ""
    """Such as `https://github.com`."""
    repository: str = ""
    """`owner/name`."""
    sha: str = ""
    run: str = ""
    """Id of the workflow run."""
    prefix: str = ""
    """Where the repository that was checked lies in the one on GitHub, with `/` at the end."""
    action: str = ""
    """`owner/name` of the action that runs, which has a page for each cause."""
    action_ref: str = ""
    """The version of it that was asked for, such as `v1`."""

    @property
    def to_run(self) -> str | None:
        return f"{self._base}/actions/runs/{quote(self.run, safe='')}" if self._base and self.run else None

    def to(self, origin: Origin) -> str | None:
        if not (self._base and self.sha):
            return None
        path = quote(path_bytes(self.prefix + origin.file), safe="/")
        return f"{self._base}/blob/{quote(self.sha, safe='')}/{path}#L{origin.line}"

    def to_cause(self, cause: str) -> str | None:
        """On github.com alone: an action that a server of one's own runs may live there or here."""
        if not (self.server == GITHUB and self.action and self.action_ref):
            return None
        path = f"{quote(self.action, safe='/')}/blob/{quote(self.action_ref, safe='/')}/docs/causes"
        return f"{self.server}/{path}/{quote(cause, safe='')}.md"

    @property
    def _base(self) -> str:
        return f"{self.server}/{quote(self.repository, safe='/')}" if self.server and self.repository else ""
