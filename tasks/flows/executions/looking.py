"""Executions looked at: a page of all, one in full, its steps, its children, and its picture."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from engine.engine import Engine
from schemas.flows.executions import ExecutionStep
from storage.core.database import Database
from storage.engine.definitions import Definitions
from storage.flows.executions import ChildRun, Executions
from storage.flows.task_list import Position, TaskFilter, TaskList, TaskRow
from tasks.flows.bpmn_export import picture_of
from tasks.flows.executions.execution_fields import execution_of, step_of
from tasks.forms import TaskForms
from tools.diagrams.position import NodeCounts, RunPosition


@dataclass(frozen=True, slots=True)
class ExecutionReader:
    """Reads executions by their id, an order's `task_id` names its own, too; `None` where there is none."""

    database: Database
    forms: TaskForms
    engine: Engine

    def page(self, filters: TaskFilter, *, after: Position | None, limit: int) -> list[TaskRow]:
        """Those that pass, the newest first, from behind this position on."""
        with self.database.transaction() as work:
            return TaskList(work, self.forms.subjects).page(filters, after=after, limit=limit)

    def in_full(self, execution_id: str) -> dict[str, Any] | None:
        """The fields of an execution in full.

        Raises:
            MalformedWorkflow: its definition can no longer be read.
        """
        with self.database.transaction() as work:
            row = TaskList(work, self.forms.subjects).find(execution_id)
            return None if row is None else execution_of(work, row, self.forms, self.engine.catalogue)

    def steps(self, execution_id: str, *, after: int, limit: int) -> Sequence[ExecutionStep] | None:
        """Its steps as often as each was entered, in the order in which that was, behind this one.

        Raises:
            MalformedWorkflow: its definition can no longer be read.
        """
        with self.database.transaction() as work:
            row = TaskList(work, self.forms.subjects).find(execution_id)
            if row is None:
                return None
            workflow = self.engine.catalogue.version(work, row.workflow, row.version)
            return [
                step_of(workflow, each)
                for each in Executions(work).steps(row.run_id, after=after, limit=limit)
            ]

    def picture(self, execution_id: str) -> str | None:
        """The diagram of its version as SVG, with what is done, open and failed, and how often."""
        with self.database.transaction() as work:
            row = TaskList(work, self.forms.subjects).find(execution_id)
            if row is None:
                return None
            steps = Executions(work).progress(row.run_id)
            body = Definitions(work).find(row.workflow, row.version)
        # A run of a single action has no definition of its own.
        alone = {"workflow": "action", "version": "1", "steps": [{"id": each.node} for each in steps]}
        position = RunPosition(
            nodes={
                each.node: NodeCounts(done=each.times_done, open=each.times_open, failed=each.times_failed)
                for each in steps
            }
        )
        return picture_of(body or alone, position)

    def children(self, run_id: str, limit: int) -> Sequence[ChildRun]:
        """The executions that steps of this one have begun, in the order in which they began."""
        with self.database.transaction() as work:
            return Executions(work).children(run_id, limit)
