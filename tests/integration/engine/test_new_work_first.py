"""Many rows whose time comes at one moment keep nobody waiting who comes with new work."""

from datetime import UTC, datetime, timedelta

import pytest

from engine.outcomes import Done, Outcome, Snooze
from runtime.clock import Clock
from storage.engine.clock import BusinessClock
from storage.engine.steps import StepRow
from storage.engine.urgency import BEHIND_NEW_WORK_SECONDS, still_behind, urgency
from tests.support.engine.general_runs import ScriptedActions, begin
from tests.support.in_process_fleet import InProcessFleet
from tests.support.probe import Probe


class Worked:
    """Lets every run wait for one moment of the business clock, and keeps the order in which they then go on."""

    def __init__(self, house: InProcessFleet, bench: ScriptedActions) -> None:
        with house.database.transaction() as work:
            self.until: datetime = BusinessClock(work).now().business_now + timedelta(days=1)
        self.order: list[str] = []
        self._waited: set[str] = set()
        bench.answers["first"] = self._first

    def _first(self, step: StepRow) -> Outcome:
        if step.run_id not in self._waited:
            self._waited.add(step.run_id)
            return Snooze(until=self.until, clock=Clock.BUSINESS, reason="as agreed")
        self.order.append(step.run_id)
        return Done()

    def begin_new(self, house: InProcessFleet) -> str:
        """Begin a run that waits for nothing."""
        (run_id,) = begin(house, "parallel_branches")
        self._waited.add(run_id)
        return run_id


@pytest.fixture
def worked(house: InProcessFleet, bench: ScriptedActions) -> Worked:
    """500 runs whose time has come, ready and not published."""
    worked = Worked(house, bench)
    begin(house, "parallel_branches", runs=500)
    house.run()
    house.wire.cut = True
    assert house.leap()
    house.tick.sweep()
    return worked


def test_new_work_goes_before_what_was_waited_for(house: InProcessFleet, worked: Worked) -> None:
    new = worked.begin_new(house)
    house.wire.cut = False
    house.run()
    assert worked.order[0] == new
    assert len(worked.order) == 501


def test_what_was_waited_for_goes_before_new_work_once_it_has_waited_long(
    house: InProcessFleet, worked: Worked
) -> None:
    write = Probe(house.database).write
    write(
        f"UPDATE steps SET urgency = urgency - interval '{BEHIND_NEW_WORK_SECONDS} seconds' WHERE state = 'ready'"
    )
    new = worked.begin_new(house)
    house.wire.cut = False
    house.run()
    assert worked.order.index(new) >= 500


NOW = datetime(2026, 3, 16, 9, tzinfo=UTC)


def test_what_became_ready_as_new_work_stands_behind_nobody_whatever_its_priority_was() -> None:
    for priority in (1, 10):
        assert still_behind(urgency(NOW - timedelta(seconds=1), priority), priority, NOW) == timedelta()


def test_what_was_waited_for_stands_behind_new_work_for_the_rest_of_its_time() -> None:
    behind = timedelta(seconds=BEHIND_NEW_WORK_SECONDS)
    for priority in (1, 10):
        place = urgency(NOW, priority) + behind
        assert still_behind(place, priority, NOW) == behind
        assert still_behind(place, priority, NOW + behind / 2) == behind / 2
        assert still_behind(place, priority, NOW + 2 * behind) == timedelta()


def test_what_follows_stands_behind_new_work_as_well_and_says_when_it_became_ready(
    house: InProcessFleet, worked: Worked
) -> None:
    house.wire.cut = False
    house.run()
    look = Probe(house.database)
    behind = f"interval '{BEHIND_NEW_WORK_SECONDS // 2} seconds'"
    assert (
        look.value(f"SELECT count(*) FROM steps WHERE node = 'second' AND urgency < created_at + {behind}")
        == 0
    )
    assert look.value("SELECT count(*) FROM steps WHERE ready_at > clock_timestamp()") == 0
