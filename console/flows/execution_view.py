"""What the pages of executions show."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Final

from console.server.form import EMPTY, Form
from schemas.flows.executions import ExecutionStep
from statemachine.workflow.states import RunState
from storage.flows.executions import ChildRun
from storage.flows.task_list import TaskRow
from tasks.verbs import ALLOWED, Verb


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutionsPage:
    """Executions, the newest first."""

    template: ClassVar[str] = "flows/executions.html"
    page: ClassVar[str] = "flows.executions"

    rows: Sequence[TaskRow]
    workflows: Sequence[str]
    """Those that can be chosen."""
    chosen: Mapping[str, str]
    """What the address filters by: `workflow`, `status`, `since`."""
    next: str | None
    """The query of the next page."""
    states: ClassVar[Sequence[str]] = tuple(state.value for state in RunState)


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownExecution:
    """An execution: why it waits, where it stands, and what its steps came to."""

    template: ClassVar[str] = "flows/execution.html"
    page: ClassVar[str] = "flows.execution"

    execution: Mapping[str, Any]
    """As the API answers it."""
    steps: Sequence[ExecutionStep]
    next: int | None
    """Behind which step the next page begins."""
    after: int
    children: Sequence[ChildRun]
    form: Form = EMPTY
    refusal: str | None = None

    @property
    def is_order(self) -> bool:
        """Whether it carries an order."""
        return bool(self.execution["task_id"] != self.execution["execution_id"])

    @property
    def is_open(self) -> bool:
        """Whether it goes on."""
        return self.execution["finished_at"] is None

    @property
    def verbs(self) -> Sequence[str]:
        """What may be done to it as it stands; the service has the last word."""
        state = RunState(self.execution["status"])
        found = ALLOWED[RunState.RUNNING if state is RunState.CREATED else state]
        return [verb.value for verb in (Verb.PAUSE, Verb.RESUME, Verb.RETRY, Verb.CANCEL) if verb in found]

    @property
    def open_steps(self) -> int:
        """How many steps of the definition are open."""
        stats = self.execution["task_stats"]
        return int(stats.running + stats.paused)

    @property
    def stand(self) -> str:
        """Another text when the picture is another: a browser shows a picture again by its address."""
        stats = self.execution["task_stats"]
        return f"{self.execution['updated_at']:%Y%m%d%H%M%S%f}-{self.execution['status']}-{stats.running}"

    def written(self, value: Any) -> str:
        """A value as JSON."""
        return _written(value)


_INDENT: Final = 2


def _written(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=_INDENT, default=str)
