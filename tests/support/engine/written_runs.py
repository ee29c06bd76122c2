"""Runs of a definition that stands in the test: begun, carried to where nothing goes on, looked at."""

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import timedelta
from textwrap import dedent
from typing import Any, Self

from engine.begin import Begin
from engine.flow.events.catching import CaughtEvent
from engine.outcomes import Done
from runtime.ids import Prefix, new_id
from schemas.core.definition.text import read_yaml
from statemachine.workflow.states import RunState
from storage.engine.clock import BusinessClock
from storage.engine.flow.subscriptions import Subscriptions
from storage.engine.runs import Runs
from storage.engine.steps import StepRow
from tests.support.engine.general_runs import Answer, ScriptedActions, nodes_of
from tests.support.in_process_fleet import InProcessFleet

PREAMBLE = "workflow: tried\nversion: '1'\n"


@dataclass(slots=True)
class WrittenRuns:
    """A fleet that knows the definitions of one test; every action is `audit.check` unless it says otherwise."""

    house: InProcessFleet
    bench: ScriptedActions
    seen: list[StepRow] = field(default_factory=list)
    """What was worked on, in order."""

    @classmethod
    def of(cls, database_url: str, *written: str, **answers: Answer) -> "WrittenRuns":
        """Know these definitions, the first without its name and version; what each node returns."""
        bench = ScriptedActions(answers=dict(answers))
        bodies = [body_of(text) for text in written]
        house = InProcessFleet.build(database_url, actions=bench.actions(), workflows=bodies)
        return cls(house, bench)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.house.close()

    def begin(self, workflow: str = "tried", **variables: Any) -> str:
        """Begin a run with these parameters, and carry it as far as it goes by itself."""
        run_id = new_id(Prefix.RUN)
        with self.house.engine.transaction() as transaction:
            known = transaction.catalogue.current(transaction.work, workflow)
            transaction.begin([Begin(run_id=run_id, workflow=known, variables=variables)])
        self.house.run()
        return run_id

    def begin_as(self, run_id: str, version: str, *, until: str | None = None, **variables: Any) -> str:
        """Begin a run of a version under this id; nothing is done, or what there is until this step is."""
        with self.house.engine.transaction() as transaction:
            known = transaction.catalogue.version(transaction.work, "tried", version)
            transaction.begin([Begin(run_id=run_id, workflow=known, variables=variables)])
        while until is not None and until not in self.bench.worked:
            self.house.execute(self.house.wire.messages.popleft())
        return run_id

    def state(self, run_id: str) -> RunState:
        """Where a run is."""
        with self.house.database.transaction() as work:
            (run,) = Runs(work).lock([run_id])
        return run.state

    def error(self, run_id: str) -> str | None:
        """The code with which a run has failed."""
        with self.house.database.transaction() as work:
            (run,) = Runs(work).lock([run_id])
        return None if run.error is None else str(run.error["code"])

    def variables(self, run_id: str) -> Mapping[str, Any]:
        """What a run has written."""
        with self.house.database.transaction() as work:
            (run,) = Runs(work).lock([run_id])
        return run.written or {}

    def nodes(self, run_id: str) -> dict[str, list[str]]:
        """The states of a run's steps, by node."""
        return nodes_of(self.house, run_id)

    def output(self, run_id: str, node: str) -> Any:
        """What the last done row of a step returned."""
        return self._value(
            "SELECT output FROM steps WHERE run_id = %s AND node = %s AND state = 'done'", run_id, node
        )

    def inputs(self, run_id: str, node: str) -> list[Any]:
        """The inputs of a step's rows, in their order."""
        with self.house.database.transaction() as work:
            rows = work.connection.exec_driver_sql(
                "SELECT input FROM steps WHERE run_id = %s AND node = %s ORDER BY step_id", (run_id, node)
            )
            return list(rows.scalars())

    def message(self, name: str, key: str, payload: Any = None) -> int:
        """Send a message to the one that has waited longest for it; how many there were."""
        return self._catch("message", name, key, payload, 1)

    def signal(self, name: str, payload: Any = None) -> int:
        """Send a signal to all that wait for it; how many there were."""
        return self._catch("signal", name, None, payload, 1_000)

    def decide(self, run_id: str, node: str, **answer: Any) -> None:
        """Answer the open question of a step."""
        step_id = self._value(
            "SELECT step_id FROM steps WHERE run_id = %s AND node = %s AND state = 'parked'", run_id, node
        )
        with self.house.engine.transaction() as transaction:
            transaction.complete({step_id: answer})
        self.house.run()

    def pass_time(self, seconds: float) -> None:
        """Let business time pass, and everything happen that is due."""
        with self.house.database.transaction() as work:
            now = BusinessClock(work).now().business_now
            BusinessClock(work).set(now + timedelta(seconds=seconds))
        self.house.tick.sweep()
        self.house.run()

    def left_over(self, run_id: str) -> int:
        """Rows of scopes, joins and waits that are still there for a run."""
        return sum(
            int(self._value(f"SELECT count(*) FROM {table} WHERE run_id = %s", run_id))
            for table in ("scopes", "join_arrivals", "subscriptions")
        )

    def _catch(self, kind: str, name: str, key: str | None, payload: Any, limit: int) -> int:
        with self.house.engine.transaction() as transaction:
            waiting = Subscriptions(transaction.work).waiting(kind, name, key, 0, limit)
            event = {"kind": kind, "name": name, "key": key, "payload": payload}
            heard = len(transaction.catch([CaughtEvent(each, event) for each in waiting]))
        self.house.run()
        return heard

    def _value(self, statement: str, *values: object) -> Any:
        with self.house.database.transaction() as work:
            return work.connection.exec_driver_sql(f"{statement}", values).scalars().all()[-1]


def returns(**output: Any) -> Answer:
    """An action that always returns this."""
    return lambda _: Done(output=output)


def body_of(written: str | Mapping[str, Any]) -> dict[str, Any]:
    """A definition in which every action without an agent is `audit.check`."""
    if isinstance(written, str):
        written = dedent(written).lstrip()
        written = read_yaml(written if written.startswith("workflow:") else PREAMBLE + written).body
    body = deepcopy(dict(written))
    for step in body["steps"]:
        _with_agent(step)
    return body


def _with_agent(step: dict[str, Any]) -> None:
    if step.get("type", "action") == "action" and "agent" not in step:
        step.update(agent="audit", action="check")
    for inner in step.get("steps", ()):
        _with_agent(inner)
