"""How late what was waited for is woken and begun: in real seconds, each step once."""

from datetime import timedelta

from engine.outcomes import Done, Outcome, Snooze
from runtime.clock import Clock
from storage.engine.clock import BusinessClock
from storage.engine.steps import StepRow
from tasks.orders.upkeep.counting import count
from tests.support.engine.general_runs import ScriptedActions, begin
from tests.support.in_process_fleet import InProcessFleet
from tests.support.probe import Probe
from tests.support.scanned_figures import counted, scanned
from tests.support.scraping import Series, read


def wait(house: InProcessFleet, bench: ScriptedActions, *, clock: Clock = Clock.BUSINESS) -> None:
    """Let the first step of a run wait for a day on a clock that has run for a day."""
    Probe(house.database).write(
        "UPDATE business_clock SET database_time = database_time - interval '1 day', "
        "business_time = business_time - interval '1 day'"
    )
    waited = False

    def first(step: StepRow) -> Outcome:
        nonlocal waited
        if waited:
            return Done()
        waited = True
        with house.database.transaction() as work:
            until = BusinessClock(work).now().on(clock) + timedelta(days=1)
        return Snooze(until=until, clock=clock, reason="as agreed")

    bench.answers["first"] = first
    begin(house, "parallel_branches")
    house.run()


def due_before(house: InProcessFleet, seconds: float) -> None:
    """Let what waits have been due so long ago."""
    Probe(house.database).write(
        "UPDATE steps SET due_at = CASE due_clock WHEN 'business' THEN business_now() ELSE clock_timestamp() END "
        "- make_interval(secs => %s) WHERE state = 'scheduled'",
        seconds,
    )


def at_most(series: Series, stage: str, seconds: float) -> float:
    return series[f"unpend_lateness_seconds_bucket,le={seconds},stage={stage}"]


def test_what_nothing_waited_for_is_not_late(house: InProcessFleet) -> None:
    begin(house, "parallel_branches")
    house.run()
    series = read(house.database)
    for stage in ("woken", "begun"):
        assert series[f"unpend_lateness_seconds_count,stage={stage}"] == 0
        assert series[f"unpend_lateness_seconds_sum,stage={stage}"] == 0


def test_a_step_is_as_late_as_its_moment_has_passed_when_the_tick_wakes_it(
    house: InProcessFleet, bench: ScriptedActions
) -> None:
    for clock in Clock:
        wait(house, bench, clock=clock)
        due_before(house, 1000)
        house.run()
    series = read(house.database)
    for stage in ("woken", "begun"):
        assert at_most(series, stage, 900.0) == 0
        assert at_most(series, stage, 1800.0) == series[f"unpend_lateness_seconds_count,stage={stage}"] == 2
        assert series[f"unpend_lateness_seconds_sum,stage={stage}"] >= 2000


def test_what_has_to_wait_for_a_worker_is_begun_later_than_it_is_woken(
    house: InProcessFleet, bench: ScriptedActions
) -> None:
    wait(house, bench)
    due_before(house, 1000)
    house.wire.cut = True
    house.tick.sweep()
    Probe(house.database).write(
        "UPDATE steps SET ready_at = ready_at - interval '1000 s' WHERE state = 'ready'"
    )
    house.wire.cut = False
    house.run()
    series = read(house.database)
    assert (at_most(series, "woken", 1800.0), at_most(series, "begun", 1800.0)) == (1, 0)
    assert at_most(series, "begun", 3600.0) == 1


def test_on_a_fast_clock_lateness_is_in_real_seconds(house: InProcessFleet, bench: ScriptedActions) -> None:
    wait(house, bench)
    Probe(house.database).write("UPDATE business_clock SET rate = 100")
    due_before(house, 45_000)
    house.run()
    series = read(house.database)
    assert (at_most(series, "woken", 300.0), at_most(series, "woken", 600.0)) == (0, 1)


def test_what_the_clock_leapt_over_is_due_since_the_leap(
    house: InProcessFleet, bench: ScriptedActions
) -> None:
    wait(house, bench)
    with house.database.transaction() as work:
        BusinessClock(work).set(BusinessClock(work).now().business_now + timedelta(days=30))
    house.run()
    series = read(house.database)
    assert at_most(series, "begun", 3600.0) == series["unpend_lateness_seconds_count,stage=begun"] == 1


def test_a_step_counts_once_and_only_when_it_is_over(house: InProcessFleet, bench: ScriptedActions) -> None:
    wait(house, bench)
    count(house.database, seconds=60.0)
    due_before(house, 1000)
    house.wire.cut = True
    house.tick.sweep()
    count(house.database, seconds=60.0)
    assert read(house.database)["unpend_lateness_seconds_count,stage=woken"] == 0
    house.wire.cut = False
    house.run()
    for _ in range(3):
        count(house.database, seconds=60.0)
    assert counted(house.database) == scanned(house.database)
    assert counted(house.database)["lateness", "woken/13"] == 1
