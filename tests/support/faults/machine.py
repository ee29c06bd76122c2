"""The state machine of Hypothesis that drives processes under faults, whatever product their runs belong to."""

import os
from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from engine.limits import Limits
from engine.publisher import Message
from statemachine.workflow.states import RunState
from tests.support.faults.fleet import FaultyFleet
from tests.support.faults.injector import Fault, Kind, Point, When
from tests.support.in_process_fleet import InProcessFleet
from tests.support.probe import Probe

EXAMPLES: Final = "UNPEND_FAULT_EXAMPLES"
"""The environment variable that asks for so many random examples instead of the suite's few and fixed ones."""


LONG: Final = Limits(lease_seconds=3600.0, republish_seconds=3600.0)
"""Nothing runs out by itself: how busy the machine is changes no example."""


class Deed(StrEnum):
    """What another process does while one is slow, about the run at hand where it is about one."""

    TICK = "tick"
    RESCUE = "rescue"
    """Every lease runs out, and the tick notices it."""
    CARRY = "carry"
    """The next message is carried."""
    SAME = "same"
    """The message at hand is carried."""
    TELL = "tell"
    """The world tells what the run waits for."""
    CANCEL = "cancel"
    PAUSE = "pause"
    RESUME = "resume"


@dataclass(frozen=True, slots=True)
class Plan:
    """A fault as an example draws it."""

    point: Point
    when: When
    kind: Kind
    passed: int
    deed: Deed


def plans(*points: Point) -> st.SearchStrategy[list[Plan]]:
    """One or two faults at these points."""
    one = st.builds(
        Plan,
        st.sampled_from(points),
        st.sampled_from(When),
        st.sampled_from(Kind),
        st.sampled_from([0, 0, 0, 1]),
        st.sampled_from(Deed),
    )
    return st.lists(one, min_size=1, max_size=2)


def perhaps(*points: Point) -> st.SearchStrategy[list[Plan]]:
    """None, one or two faults at these points."""
    return st.just([]) | plans(*points)


PROCESSES: Final = st.integers(0, 1)
NTH: Final = st.integers(0, 9)


def settings_of(examples: int, steps: int) -> settings:
    """The settings of a machine: so many fixed examples in the suite, or as many random ones as are asked for."""
    asked_for = os.environ.get(EXAMPLES)
    return settings(
        max_examples=int(asked_for) if asked_for else examples,
        derandomize=asked_for is None,
        stateful_step_count=steps,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )


class FaultyMachine(RuleBasedStateMachine):
    """Messages repeated, lost and reordered, ticks, leases that run out, time that passes, verbs: all under faults.

    Attributes:
        runs: The runs that were accepted, by subject.
        at_hand: The subject that what is done now is about.
        message: The message that is being carried.
    """

    fleet: FaultyFleet

    def __init__(self) -> None:
        super().__init__()
        self.runs: dict[str, str] = {}
        self.at_hand = ""
        self.message: Message | None = None

    @abstractmethod
    def tell(self, process: InProcessFleet, subject: str) -> None:
        """Tell a process what the world says of this subject."""

    def under(
        self, drawn: Sequence[Plan], by: int, subject: str, act: Callable[[InProcessFleet], object]
    ) -> bool:
        """Let a process act under the faults that were drawn; whether it could finish."""
        self.at_hand = subject
        faults = [fault for plan in drawn for fault in self._faults(plan, 1 - by)]
        return self.fleet.under(tuple(faults), act, by=by)

    def subject(self, nth: int) -> str:
        """One of the subjects."""
        return list(self.runs)[nth % len(self.runs)]

    @precondition(lambda self: self.fleet.wire.messages)
    @rule(by=PROCESSES, nth=NTH, times=st.integers(1, 3), comes_again=st.booleans())
    def carry(self, by: int, nth: int, times: int, comes_again: bool) -> None:
        """Any message arrives, in any order, up to three times, and perhaps later once more."""
        message = self._take(nth, comes_again=comes_again)
        for _ in range(times):
            self.under([], by, self.at_hand, lambda process: process.execute(message))

    @precondition(lambda self: self.fleet.wire.messages)
    @rule(
        by=PROCESSES,
        nth=NTH,
        comes_again=st.booleans(),
        drawn=plans(Point.CLAIM, Point.RECORD, Point.RECORD, Point.PUBLISH, Point.SURRENDER),
    )
    def carry_under_faults(self, by: int, nth: int, comes_again: bool, drawn: list[Plan]) -> None:
        """A message arrives and its process is struck."""
        message = self._take(nth, comes_again=comes_again)
        self.under(drawn, by, self.at_hand, lambda process: process.execute(message))

    @rule(by=PROCESSES, nth=NTH, drawn=perhaps(Point.TICK, Point.TICK, Point.PUBLISH))
    def tick(self, by: int, nth: int, drawn: list[Plan]) -> None:
        """The tick looks."""
        self.under(drawn, by, self.subject(nth) if self.runs else "", lambda process: process.tick.sweep())

    @rule(
        what=st.sampled_from(["leases run out", "waits are over", "days pass", "messages are lost"]),
        by=PROCESSES,
    )
    def time_passes(self, what: str, by: int) -> None:
        """Leases, waits on the database's clock, waits on the business clock, or messages end; the tick looks."""
        match what:
            case "leases run out":
                self.fleet.expire_leases()
            case "waits are over":
                self.fleet.make_due()
            case "days pass":
                self.fleet.sound.leap()
            case _:
                self.fleet.forget_messages()
        self.under([], by, "", lambda process: process.tick.sweep())

    @precondition(lambda self: self.runs)
    @rule(
        by=PROCESSES,
        nth=NTH,
        deed=st.sampled_from([Deed.TELL, Deed.TELL, Deed.CANCEL, Deed.PAUSE, Deed.RESUME]),
        times=st.integers(1, 2),
        drawn=perhaps(Point.CALLBACK, Point.PUBLISH, Point.OTHER),
    )
    def turn_to_a_run(self, by: int, nth: int, deed: Deed, times: int, drawn: list[Plan]) -> None:
        """The world or a person turns to a run; who gets no answer asks again."""
        for _ in range(times):
            if not self.under(drawn, by, self.subject(nth), lambda process: self.do(deed, process)):
                self.under([], by, self.subject(nth), lambda process: self.do(deed, process))

    def do(self, deed: Deed, process: InProcessFleet) -> None:
        """Let a process do this, about the subject at hand."""
        subject, messages = self.at_hand, self.fleet.wire.messages
        match deed:
            case Deed.TICK:
                process.tick.sweep()
            case Deed.RESCUE:
                self.fleet.expire_leases()
                process.tick.sweep()
            case Deed.CARRY if messages:
                process.execute(messages.popleft())
            case Deed.SAME if self.message is not None:
                process.execute(self.message)
            case Deed.TELL if subject in self.runs:
                self.tell(process, subject)
            case Deed.CANCEL | Deed.PAUSE | Deed.RESUME if subject in self.runs:
                self._steer(deed, process, self.runs[subject])

    def _steer(self, deed: Deed, process: InProcessFleet, run_id: str) -> None:
        with process.engine.transaction() as transaction:
            if deed is Deed.CANCEL:
                transaction.end([run_id], RunState.CANCELLED, agent_id="operator", reason="upstream")
            else:
                (transaction.pause if deed is Deed.PAUSE else transaction.resume)([run_id])

    def _faults(self, plan: Plan, other: int) -> Sequence[Fault]:
        if plan.kind is not Kind.TURN:
            return (Fault(plan.point, plan.when, plan.kind, plan.passed),)

        def turn() -> None:
            self.do(plan.deed, self.fleet.process(other))

        if plan.when is When.BEFORE and plan.point not in (Point.PUBLISH, Point.SEND, Point.QUERY):
            return self.fleet.beside(plan.point, turn, passed=plan.passed)
        return (Fault(plan.point, plan.when, Kind.TURN, plan.passed, turn),)

    def _take(self, nth: int, *, comes_again: bool) -> Message:
        messages = self.fleet.wire.messages
        messages.rotate(-(nth % len(messages)))
        message = self.message = messages.popleft()
        if comes_again:
            messages.append(message)
        self.at_hand = self._subject_of(message)
        return message

    def _subject_of(self, message: Message) -> str:
        step_ids = [key.step_id for key in message.keys]
        found = Probe(self.fleet.sound.database).values(
            "SELECT subject_id FROM steps WHERE step_id = ANY(%s) ORDER BY step_id LIMIT 1", step_ids
        )
        return str(found[0])

    def states(self) -> Mapping[str, RunState]:
        """The lifecycle of every run, by its id."""
        rows = Probe(self.fleet.sound.database).rows("SELECT run_id, state FROM runs")
        return {row.run_id: RunState(row.state) for row in rows}

    def check_the_engine(self) -> None:
        """Runs count their open steps, and one that has ended has none; no step is followed by one node twice."""
        probe = Probe(self.fleet.sound.database)
        assert probe.rows(_MISCOUNTED) == []
        assert probe.rows(_FOLLOWED_TWICE) == []


_OPEN: Final = "state NOT IN ('done', 'failed', 'cancelled')"
_MISCOUNTED: Final = f"""
    SELECT r.run_id, r.state, r.open_steps, count(s.step_id) FROM runs r
    LEFT JOIN steps s ON s.run_id = r.run_id AND s.{_OPEN}
    GROUP BY r.run_id HAVING count(s.step_id) <> CASE WHEN r.state IN ('running', 'paused') THEN r.open_steps ELSE 0 END
"""
_FOLLOWED_TWICE: Final = """
    SELECT run_id, caused_by, node, count(*) FROM steps WHERE caused_by IS NOT NULL
    GROUP BY run_id, caused_by, node HAVING count(*) > 1
"""
