"""General runs for the tests of the engine: test actions on the five queues, told what to come to."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from engine.actions import Action, Batch
from engine.begin import Begin
from engine.outcomes import Done, Outcome
from runtime.ids import Prefix, new_id
from statemachine.workflow.options.retry import RetryPolicy
from statemachine.workflow.states import RunState
from storage.engine.runs import Runs
from storage.engine.steps import StepRow
from storage.orders.order_view import OrderView
from tests.support.agents import QUEUES
from tests.support.in_process_fleet import InProcessFleet
from tests.support.servers import TEST_WORKFLOWS

Answer = Callable[[StepRow], Outcome]


def definition_body(name: str) -> dict[str, object]:
    """A definition of the tests as written."""
    body: dict[str, object] = yaml.safe_load((TEST_WORKFLOWS / f"{name}.yaml").read_text(encoding="utf-8"))
    return body


def definition(name: str, **changes: Any) -> dict[str, object]:
    """A definition of the tests as written, with top-level fields changed."""
    return definition_body(name) | changes


@dataclass(slots=True)
class ScriptedActions:
    """Test actions `<queue>.check`: what each node comes to, and what was worked on in which order."""

    answers: dict[str, Answer] = field(default_factory=dict)
    worked: list[str] = field(default_factory=list)
    batches: list[int] = field(default_factory=list)

    def actions(self) -> list[Action]:
        """The actions, one on each queue."""
        return [
            Action(name=f"{queue}.check", retry=RetryPolicy(max_retries=2, delay_ms=10), work=self._work)
            for queue in QUEUES
        ]

    def _work(self, batch: Batch) -> Mapping[int, Outcome]:
        self.batches.append(len(batch.steps))
        outcomes: dict[int, Outcome] = {}
        for step in batch.steps:
            self.worked.append(step.node)
            answer = self.answers.get(step.node)
            outcomes[step.step_id] = (
                answer(step) if answer else Done(output={"node": step.node, "given": dict(step.input)})
            )
        return outcomes


def begin(house: InProcessFleet, workflow: str, *, runs: int = 1, **more: Any) -> list[str]:
    """Begin runs of a workflow; their ids."""
    ids = [new_id(Prefix.RUN) for _ in range(runs)]
    with house.engine.transaction() as transaction:
        transaction.begin(
            [
                Begin(run_id=i, workflow=transaction.catalogue.current(transaction.work, workflow), **more)
                for i in ids
            ]
        )
    return ids


def state_of(house: InProcessFleet, run_id: str) -> RunState:
    """The lifecycle state of a run."""
    with house.database.transaction() as work:
        (run,) = Runs(work).lock([run_id])
    return run.state


def nodes_of(house: InProcessFleet, run_id: str) -> dict[str, list[str]]:
    """The states of a run's steps, by node."""
    found: dict[str, list[str]] = {}
    with house.database.transaction() as work:
        for row in OrderView(work).steps(run_id):
            found.setdefault(row["node"], []).append(row["state"])
    return found
