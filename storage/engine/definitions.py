"""Workflow definitions as registered: a run keeps its version, so a registered version never changes."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text

from storage.core.bulk import dump_json
from storage.core.unit_of_work import Repository

_INSERT = text(
    "INSERT INTO definitions (workflow, version, body, digest) "
    "VALUES (:workflow, :version, CAST(:body AS json), :digest) ON CONFLICT DO NOTHING",
)
_DIGEST = text("SELECT digest FROM definitions WHERE workflow = :workflow AND version = :version")
_BODY = text("SELECT body FROM definitions WHERE workflow = :workflow AND version = :version")
_CURRENT = text(
    "SELECT DISTINCT ON (workflow) workflow, version FROM definitions "
    "ORDER BY workflow, registered_at DESC, version DESC"
)


class ChangedDefinition(ValueError):
    """A registered version came with another body; runs rely on it, so it needs a new version."""


@dataclass(frozen=True, slots=True)
class Definitions(Repository):
    """The only code that reads or writes `definitions`."""

    def register(self, workflow: str, version: str, body: Mapping[str, object]) -> None:
        """Keep this version; the same body again is fine.

        Raises:
            ChangedDefinition: this version is registered with another body.
        """
        canonical = dump_json(body)
        digest = hashlib.sha256(canonical.encode()).digest()
        self.connection.execute(
            _INSERT, {"workflow": workflow, "version": version, "body": canonical, "digest": digest}
        )
        registered = self.connection.execute(_DIGEST, {"workflow": workflow, "version": version}).scalar_one()
        if bytes(registered) != digest:
            raise ChangedDefinition(
                f"workflow '{workflow}' version {version} is registered with another body; give it a new version",
            )

    def find(self, workflow: str, version: str) -> Mapping[str, Any] | None:
        """The body of a version, or `None`."""
        found: Mapping[str, Any] | None = self.connection.execute(
            _BODY, {"workflow": workflow, "version": version}
        ).scalar_one_or_none()
        return found

    def current(self) -> list[tuple[str, str]]:
        """The version of each workflow that was registered last, with its name."""
        return [(row.workflow, row.version) for row in self.connection.execute(_CURRENT)]
