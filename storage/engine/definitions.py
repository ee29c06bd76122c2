"""Workflow definitions: a run keeps its version, so a version's body never changes; its state does."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import text

from statemachine.workflow.states import DefinitionEvent, DefinitionState
from storage.core.bulk import dump_json
from storage.core.unit_of_work import Repository
from storage.engine.states import ACTIVE, DRAFT, RETIRED

_INSERT = text(
    "INSERT INTO definitions (workflow, version, body, digest, state, activated_at) VALUES "
    "(:workflow, :version, CAST(:body AS json), :digest, CAST(:state AS varchar), "
    f"CASE WHEN CAST(:state AS varchar) = {ACTIVE} THEN clock_timestamp() END) ON CONFLICT DO NOTHING",
)
_DIGEST = text("SELECT digest FROM definitions WHERE workflow = :workflow AND version = :version")
_BODY = text("SELECT body FROM definitions WHERE workflow = :workflow AND version = :version")
_CURRENT = text(f"""
    SELECT DISTINCT ON (workflow) workflow, version FROM definitions
    WHERE state = {ACTIVE} ORDER BY workflow, activated_at DESC, version DESC
""")
_TRIGGERS = text(f"""
    SELECT DISTINCT ON (workflow) workflow, body ->> 'trigger' AS trigger FROM definitions
    WHERE state = {ACTIVE} ORDER BY workflow, activated_at DESC, version DESC
""")
_VERSIONS = text("""
    SELECT workflow, version, state, registered_at, activated_at, retired_at FROM definitions
    WHERE CAST(:workflow AS text) IS NULL OR workflow = :workflow
    ORDER BY workflow, coalesce(activated_at, registered_at) DESC, version DESC
""")
_ACTIVATE = text(
    f"UPDATE definitions SET state = {ACTIVE}, activated_at = clock_timestamp() "
    f"WHERE workflow = :workflow AND version = :version AND state = {DRAFT}"
)
_RETIRE = text(
    f"UPDATE definitions SET state = {RETIRED}, retired_at = clock_timestamp() "
    f"WHERE workflow = :workflow AND version = :version AND state = {ACTIVE}"
)
_MOVES: Final = {DefinitionEvent.ACTIVATE: _ACTIVATE, DefinitionEvent.RETIRE: _RETIRE}
_HOLD = text("SELECT pg_advisory_xact_lock(hashtext('states of definitions'))")


class ChangedDefinition(ValueError):
    """A registered version came with another body; runs rely on it, so it needs a new version."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DefinitionVersion:
    """A version as it stands, without its body."""

    workflow: str
    version: str
    state: DefinitionState
    registered_at: datetime
    activated_at: datetime | None
    retired_at: datetime | None


@dataclass(frozen=True, slots=True)
class Definitions(Repository):
    """The only code that reads or writes `definitions`."""

    def register(self, workflow: str, version: str, body: Mapping[str, object]) -> None:
        """Keep this version as active; a draft with this body becomes active, a retired one stays retired.

        Raises:
            ChangedDefinition: this version is registered with another body.
        """
        if not self._keep(workflow, version, body, DefinitionState.ACTIVE):
            self.connection.execute(_ACTIVATE, {"workflow": workflow, "version": version})

    def add_draft(self, workflow: str, version: str, body: Mapping[str, object]) -> bool:
        """Keep this version as a draft; `False` when it is there with this body, in whatever state.

        Raises:
            ChangedDefinition: this version is registered with another body.
        """
        return self._keep(workflow, version, body, DefinitionState.DRAFT)

    def _keep(self, workflow: str, version: str, body: Mapping[str, object], state: DefinitionState) -> bool:
        canonical = dump_json(body)
        digest = hashlib.sha256(canonical.encode()).digest()
        added = self.connection.execute(
            _INSERT,
            {
                "workflow": workflow,
                "version": version,
                "body": canonical,
                "digest": digest,
                "state": state.value,
            },
        ).rowcount
        registered = self.connection.execute(_DIGEST, {"workflow": workflow, "version": version}).scalar_one()
        if bytes(registered) != digest:
            raise ChangedDefinition(
                f"workflow '{workflow}' version {version} is registered with another body; give it a new version",
            )
        return bool(added)

    def find(self, workflow: str, version: str) -> Mapping[str, Any] | None:
        """The body of a version, or `None`."""
        found: Mapping[str, Any] | None = self.connection.execute(
            _BODY, {"workflow": workflow, "version": version}
        ).scalar_one_or_none()
        return found

    def current(self) -> list[tuple[str, str]]:
        """The active version of each workflow that was activated last, with its name."""
        return [(row.workflow, row.version) for row in self.connection.execute(_CURRENT)]

    def triggers(self) -> dict[str, str | None]:
        """The trigger of each workflow's current version."""
        return {row.workflow: row.trigger for row in self.connection.execute(_TRIGGERS)}

    def versions(self, workflow: str | None = None) -> list[DefinitionVersion]:
        """The versions of every workflow, or of one, by name; the one activated last is the first."""
        return [
            DefinitionVersion(**{**row._mapping, "state": DefinitionState(row.state)})
            for row in self.connection.execute(_VERSIONS, {"workflow": workflow})
        ]

    def hold_states(self) -> None:
        """Let nobody else change a state until this transaction ends: what is current is asked before and after."""
        self.connection.execute(_HOLD)

    def move(self, workflow: str, version: str, event: DefinitionEvent) -> None:
        """Write the state that a version has after this."""
        self.connection.execute(_MOVES[event], {"workflow": workflow, "version": version})
