"""A definition as it is sent: JSON or YAML, examined with everything that is wrong with it, kept as a draft."""

from collections.abc import Sequence
from dataclasses import dataclass

from engine.definitions.rules import DefinitionRules
from engine.definitions.states import version_of
from engine.definitions.triggers import faults_beside
from schemas.core.definition.reader import place_of
from schemas.core.definition.text import (
    DefinitionProblem,
    UnreadableDefinition,
    WrittenDefinition,
    read_json,
    read_yaml,
)
from storage.access.system_audit import SystemAudit
from storage.core.database import Database
from storage.engine.definitions import Definitions, DefinitionVersion


@dataclass(frozen=True, slots=True)
class SentText:
    """A definition as it was sent."""

    body: bytes
    is_yaml: bool

    def read(self) -> WrittenDefinition:
        """The definition.

        Raises:
            UnreadableDefinition: it is no object that can be kept.
        """
        if not self.is_yaml:
            return read_json(self.body)
        try:
            return read_yaml(self.body.decode())
        except UnicodeDecodeError as error:
            raise UnreadableDefinition(DefinitionProblem(at=(), message="is not UTF-8")) from error


@dataclass(frozen=True, slots=True)
class KeptDraft:
    """A version that was sent, as it stands."""

    version: DefinitionVersion
    is_new: bool


def examined(
    sent: SentText, database: Database, rules: DefinitionRules, *, active: bool
) -> tuple[WrittenDefinition, Sequence[DefinitionProblem]]:
    """A definition, and everything that is wrong with it.

    A draft need not have the steps that its product needs, nor the workflows that it names.
    """
    try:
        written = sent.read()
    except UnreadableDefinition as error:
        return WrittenDefinition({}), error.problems
    read = rules.examine(written.body, purposes=active)
    faults = [*read.faults]
    if active and read.workflow is not None:
        # A draft may name what is added after it.
        with database.transaction() as work:
            faults += faults_beside(work, read.workflow, ())
    problems = [written.problem(fault.message, place_of(fault, written.body)) for fault in faults]
    # From top to bottom, as it is read.
    return written, sorted(problems, key=lambda problem: (problem.line or 0, problem.column or 0))


def keep_draft(database: Database, written: WrittenDefinition, *, by: str) -> KeptDraft:
    """Keep a definition with which nothing is wrong as a draft; the same body again changes nothing.

    Raises:
        ChangedDefinition: this version is registered with another body.
    """
    name, version = str(written.body["workflow"]), str(written.body["version"])
    with database.transaction() as work:
        is_new = Definitions(work).add_draft(name, version, written.body)
        if is_new:
            SystemAudit(work).write(by, "workflow_added", {"workflow": name, "version": version})
        return KeptDraft(version_of(work, name, version), is_new)
