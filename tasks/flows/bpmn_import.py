"""BPMN files that come in: kept as drafts, all of a file or nothing, with what is open in them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from engine.definitions.rules import DefinitionRules
from engine.definitions.triggers import faults_beside
from schemas.core.bpmn.importing import ImportedDefinition, import_bpmn
from schemas.core.bpmn.problems import BpmnProblem, RejectedBpmn
from storage.access.system_audit import SystemAudit
from storage.core.database import Database
from storage.core.unit_of_work import UnitOfWork
from storage.engine.definitions import Definitions


class ImportOutcome(Enum):
    """What became of a file."""

    READY = "ready"
    DRAFT = "draft"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportReport:
    """What became of a file, and everything that is to be said of it."""

    outcome: ImportOutcome
    definitions: Sequence[ImportedDefinition] = ()
    open_points: Mapping[str, Sequence[BpmnProblem]]
    """What is open, by workflow."""
    notes: Sequence[BpmnProblem] = ()
    problems: Sequence[BpmnProblem] = ()


@dataclass(frozen=True, slots=True)
class BpmnImport:
    """Takes files in."""

    database: Database
    rules: DefinitionRules

    def take(self, text: bytes, *, actor: str | None) -> ImportReport:
        """Read a file, and keep its definitions as drafts where an actor is named.

        Raises:
            ChangedDefinition: one of its versions is registered with another body; nothing was kept.
        """
        try:
            imported = import_bpmn(text)
        except RejectedBpmn as rejected:
            return ImportReport(outcome=ImportOutcome.REJECTED, open_points={}, problems=rejected.problems)
        with self.database.transaction() as work:
            found = self._open_points(work, imported.definitions)
            if actor is not None:
                for each in imported.definitions:
                    _keep(work, each.body, actor)
        ready = not any(found.values())
        return ImportReport(
            outcome=ImportOutcome.READY if ready else ImportOutcome.DRAFT,
            definitions=imported.definitions,
            open_points=found,
            notes=imported.notes,
        )

    def _open_points(
        self, work: UnitOfWork, definitions: Sequence[ImportedDefinition]
    ) -> dict[str, Sequence[BpmnProblem]]:
        """What is open in each definition: what the file leaves open, and what there is not here."""
        examined = [(each, self.rules.examine(_closed(each.body), purposes=False)) for each in definitions]
        beside = [read.workflow for _, read in examined if read.workflow is not None]
        found: dict[str, Sequence[BpmnProblem]] = {}
        for each, read in examined:
            faults = [*read.faults]
            if read.workflow is not None:
                faults += faults_beside(work, read.workflow, beside)
            # What is wrong whatever there is here, the file's own reading has said with its line; and what is wrong
            # with a step in which something is open follows from that.
            known = {point.message for point in each.open_points}
            half_said = {point.element for point in each.open_points if point.element is not None}
            found[str(each.body["workflow"])] = [
                *each.open_points,
                *(
                    BpmnProblem(message=fault.message, element=fault.step_id)
                    for fault in faults
                    if fault.message not in known and fault.step_id not in half_said
                ),
            ]
        return found


def _closed(body: Mapping[str, Any]) -> dict[str, Any]:
    """The definition without what the file leaves open, which is told with its line."""
    return {name: value for name, value in body.items() if name != "open_points"}


def _keep(work: UnitOfWork, body: Mapping[str, Any], actor: str) -> None:
    name, version = str(body["workflow"]), str(body["version"])
    if Definitions(work).add_draft(name, version, body):
        SystemAudit(work).write(actor, "workflow_imported", {"workflow": name, "version": version})
