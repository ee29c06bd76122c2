"""Schedules begin a run for each time that is due, once, whatever happens to the clock and the run before."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from itertools import count
from threading import Barrier
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from engine.definitions.states import move
from engine.triggers.scheduling import Scheduler
from statemachine.workflow.definition import MalformedWorkflow
from statemachine.workflow.states import DefinitionEvent, RunState
from storage.engine.clock import BusinessClock
from storage.engine.triggers.schedules import ScheduleRow, Schedules
from storage.people.rejects import Rejects
from tests.support.engine.general_runs import ScriptedActions
from tests.support.engine.schedule_reference import Reference, Times
from tests.support.engine.triggered_runs import activate, runs_of, triggered
from tests.support.in_process_fleet import InProcessFleet

START = datetime(2026, 3, 13, 12, 0, 5, tzinfo=UTC)
_NUMBERS = count()


def schedule(cron: str = "0 * * * *", **more: Any) -> dict[str, object]:
    return {"schedule": {"cron": cron, **more}}


def set_clock(house: InProcessFleet, moment: datetime) -> None:
    with house.database.transaction() as work:
        BusinessClock(work).set(moment)


def at(house: InProcessFleet, moment: datetime) -> None:
    """Let the business clock show this, and one tick look."""
    set_clock(house, moment)
    house.tick.sweep()


def times_of(house: InProcessFleet, name: str = "hourly") -> list[str]:
    """The times for which runs of a workflow were begun, in their order."""
    return [run["variables"]["due_at"][5:16] for run in sorted(runs_of(house, name), key=_due_at)]


def _due_at(run: Any) -> str:
    return str(run["variables"]["due_at"])


def end_runs(house: InProcessFleet, name: str = "hourly") -> None:
    open_runs = [run["run_id"] for run in runs_of(house, name) if run["state"] == "running"]
    with house.engine.transaction() as transaction:
        transaction.end(open_runs, RunState.CANCELLED, agent_id="test", reason="over")


def schedules(house: InProcessFleet) -> list[ScheduleRow]:
    with house.database.transaction() as work:
        return Schedules(work).all()


def begin_hourly(house: InProcessFleet, **more: Any) -> None:
    set_clock(house, START)
    activate(house, triggered("hourly", schedule(**more)))


def test_a_run_begins_at_each_time_and_goes_its_way(house: InProcessFleet) -> None:
    begin_hourly(house)
    at(house, START)
    assert times_of(house) == []
    for hour in (1, 2):
        at(house, START + timedelta(hours=hour))
        house.run()
    assert times_of(house) == ["03-13T13:00", "03-13T14:00"]
    assert {run["state"] for run in runs_of(house, "hourly")} == {"completed"}


def test_many_ticks_at_once_begin_one_run(house: InProcessFleet) -> None:
    begin_hourly(house, overlap="allow")
    set_clock(house, START + timedelta(hours=1))
    together = Barrier(4, timeout=180)

    def fire(_: int) -> None:
        together.wait()
        Scheduler(house.engine).round()

    with ThreadPoolExecutor(max_workers=4) as pool:
        list(pool.map(fire, range(4)))
    assert times_of(house) == ["03-13T13:00"]


@pytest.mark.parametrize(
    ("catch_up", "overlap", "expected"),
    [
        ("none", "allow", []),
        ("last", "allow", ["06-13T11:00"]),
        ("last", "skip", ["06-13T11:00"]),
        ("none", "skip", []),
    ],
)
def test_a_clock_that_jumps_three_months_begins_what_the_rule_says(
    house: InProcessFleet, catch_up: str, overlap: str, expected: list[str]
) -> None:
    begin_hourly(house, catch_up=catch_up, overlap=overlap)
    at(house, datetime(2026, 6, 13, 11, 30, 5, tzinfo=UTC))
    assert times_of(house) == expected
    at(house, datetime(2026, 6, 13, 12, 0, 5, tzinfo=UTC))
    assert len(times_of(house)) == len(expected) + (overlap == "allow" or not expected)


def test_all_that_was_missed_is_made_up_for_a_hundred_times_at_most(house: InProcessFleet) -> None:
    begin_hourly(house, catch_up="all", overlap="allow")
    at(house, datetime(2026, 6, 13, 11, 30, 5, tzinfo=UTC))
    times = times_of(house)
    assert (len(times), times[-1], times[0]) == (100, "06-13T11:00", "06-09T08:00")


def test_times_that_wait_begin_one_after_the_other_as_runs_end(house: InProcessFleet) -> None:
    begin_hourly(house, overlap="queue_all")
    for hour in (1, 2, 3):
        at(house, START + timedelta(hours=hour))
    assert times_of(house) == ["03-13T13:00"]
    for begun in (2, 3, 3):
        end_runs(house)
        house.tick.sweep()
        assert len(times_of(house)) == begun
    assert times_of(house) == ["03-13T13:00", "03-13T14:00", "03-13T15:00"]


def test_a_queue_of_one_keeps_the_first_that_waits(house: InProcessFleet) -> None:
    begin_hourly(house, overlap="queue_one")
    for hour in (1, 2, 3):
        at(house, START + timedelta(hours=hour))
    end_runs(house)
    house.tick.sweep()
    end_runs(house)
    house.tick.sweep()
    assert times_of(house) == ["03-13T13:00", "03-13T14:00"]


def test_the_run_before_is_cancelled_where_the_schedule_says_so(house: InProcessFleet) -> None:
    begin_hourly(house, overlap="cancel")
    for hour in (1, 2):
        at(house, START + timedelta(hours=hour))
    first, second = sorted(runs_of(house, "hourly"), key=_due_at)
    assert (first["state"], second["state"]) == ("cancelled", "running")
    assert "schedule" in first["error"]["message"]


@pytest.fixture(scope="module")
def random_house(servers: Any) -> Any:
    url = servers.new_database()
    built = InProcessFleet.build(url, actions=ScriptedActions().actions())
    yield built
    built.close()
    servers.drop(url)


ticks = st.lists(
    st.tuples(
        st.one_of(st.integers(1, 12), st.integers(13, 600), st.integers(600, 9000)),  # minutes since the last
        st.booleans(),  # whether the open runs end after it
    ),
    min_size=1,
    max_size=10,
)
lines = st.builds(
    Times,
    st.sampled_from([(0,), (30,), (0, 15, 30, 45), (5, 45), (59,)]),
    st.sampled_from([(), (1,), (2,), (0, 1, 2, 3), (10, 22)]),
    st.sampled_from([(), (0,), (1, 2, 3, 4, 5)]),
)
CHANGES = {
    "Asia/Shanghai": datetime(2026, 3, 7, tzinfo=UTC),
    "America/New_York": datetime(2026, 3, 7, tzinfo=UTC),
    "Europe/Berlin": datetime(2026, 10, 24, tzinfo=UTC),
    "Australia/Lord_Howe": datetime(2026, 10, 3, tzinfo=UTC),
}
"""Zones, each with a day before their clocks change."""


# Not made smaller where it fails: each look is one at a database.
# A time that was due a minute and five seconds before the look has been missed.
@example(
    times=Times((0,), (), (0,)),
    zone="America/New_York",
    hours=29,
    overlap="cancel",
    catch_up="none",
    looks=[(5, False), (3100, False), (600, False), (3100, False), (3148, True), (600, True), (8, True)],
)
@settings(
    max_examples=25, suppress_health_check=[HealthCheck.too_slow], phases=[Phase.explicit, Phase.generate]
)
@given(
    times=lines,
    zone=st.sampled_from(sorted(CHANGES)),
    hours=st.integers(0, 40),
    overlap=st.sampled_from(["skip", "queue_one", "queue_all", "allow", "cancel"]),
    catch_up=st.sampled_from(["none", "last", "all"]),
    looks=ticks,
)
def test_whatever_the_line_the_zone_the_outages_and_the_overlap_the_runs_are_those_of_the_reference(
    random_house: InProcessFleet,
    times: Times,
    zone: str,
    hours: int,
    overlap: str,
    catch_up: str,
    looks: Sequence[tuple[int, bool]],
) -> None:
    house, name = random_house, f"random_{next(_NUMBERS)}"
    start = CHANGES[zone] + timedelta(hours=hours)
    now = start + timedelta(seconds=5)
    set_clock(house, now)
    line = schedule(times.cron, timezone=zone, overlap=overlap, catch_up=catch_up)
    activate(house, triggered(name, line))
    expected = Reference(times, ZoneInfo(zone), overlap, catch_up, looked_at=start)
    for minutes, ends in looks:
        now += timedelta(minutes=minutes)
        set_clock(house, now)
        Scheduler(house.engine).round()
        expected.look(now - timedelta(seconds=5), now)
        if ends:
            end_runs(house, name)
            expected.end_runs()
    begun = [datetime.fromisoformat(_due_at(run)) for run in runs_of(house, name)]
    with house.database.transaction() as work:
        Schedules(work).replace(name, [])
    assert sorted(begun) == sorted(expected.begun)


def test_a_new_version_with_the_same_times_goes_on_and_one_with_others_begins_anew(
    house: InProcessFleet,
) -> None:
    begin_hourly(house)
    set_clock(house, START + timedelta(hours=1))
    # The time of 13:00 is due and not yet fired.
    activate(house, triggered("hourly", schedule(), version="2.0"))
    house.tick.sweep()
    assert times_of(house) == ["03-13T13:00"]
    assert runs_of(house, "hourly")[0]["version"] == "2.0"
    activate(house, triggered("hourly", schedule("30 6 * * *", timezone="Asia/Shanghai"), version="3.0"))
    (row,) = schedules(house)
    assert row.next_due == datetime(2026, 3, 13, 22, 30, tzinfo=UTC)


def test_a_retired_workflow_has_no_schedule_and_the_version_before_has_its_own_again(
    house: InProcessFleet,
) -> None:
    begin_hourly(house)
    activate(house, triggered("hourly", schedule("5 * * * *"), version="2.0"))
    rules = house.engine.definition_rules
    for version, cron in (("2.0", ["0 * * * *"]), ("1.0", [])):
        with house.database.transaction() as work:
            move(work, rules, "hourly", version, DefinitionEvent.RETIRE)
        assert [row.cron for row in schedules(house)] == cron
    at(house, START + timedelta(hours=3))
    assert times_of(house) == []


def test_a_time_whose_parameters_do_not_fit_is_refused_and_the_next_one_comes(house: InProcessFleet) -> None:
    set_clock(house, START)
    strict = {"type": "object", "required": ["nothing_gives_this"]}
    activate(house, triggered("strict", schedule(), parameters=strict), triggered("hourly", schedule()))
    for hour in (1, 2):
        at(house, START + timedelta(hours=hour))
        end_runs(house)
    with house.database.transaction() as work:
        assert len(Rejects(work).list()) == 2
    assert len(times_of(house)) == 2
    assert all(row.next_due == datetime(2026, 3, 13, 15, tzinfo=UTC) for row in schedules(house))


def test_a_schedule_that_cannot_be_fired_harms_no_other_and_goes_on(
    house: InProcessFleet, database_url: str, bench: ScriptedActions
) -> None:
    set_clock(house, START)
    activate(house, triggered("hourly", schedule()), triggered("unknown_here", schedule()))
    lacking = InProcessFleet.build(database_url, actions=bench.actions())
    with house.database.transaction() as work:
        (bad,) = (row for row in Schedules(work).all() if row.workflow == "unknown_here")
        Schedules(work).replace("unknown_here", [])
        Schedules(work).replace("unknown_here", [_of_version(bad, "9.9")])
    at(lacking, START + timedelta(hours=1))
    assert len(times_of(lacking)) == 1
    with lacking.database.transaction() as work:
        (reject,) = Rejects(work).list()
    assert "could not be fired" in reject.problems[0]["message"]
    assert {row.next_due for row in schedules(lacking)} == {datetime(2026, 3, 13, 14, tzinfo=UTC)}
    lacking.close()


def _of_version(row: ScheduleRow, version: str) -> Any:
    from storage.engine.triggers.schedules import NewSchedule

    return NewSchedule(
        workflow=row.workflow,
        position=row.position,
        version=version,
        cron=row.cron,
        timezone=row.timezone,
        next_due=row.next_due,
    )


def test_a_condition_chooses_among_the_times(house: InProcessFleet) -> None:
    set_clock(house, START)
    activate(house, triggered("hourly", schedule() | {"if": "contains(event.due_at, 'T14')"}))
    for hour in (1, 2, 3):
        at(house, START + timedelta(hours=hour))
    assert times_of(house) == ["03-13T14:00"]


@pytest.mark.parametrize(
    ("trigger", "problem"),
    [
        (schedule("61 * * * *"), "cannot be read"),
        (schedule("0 0 30 2 *"), "cannot be read"),
        (schedule(timezone="Mars/Olympus"), "no time zone 'Mars/Olympus'"),
        (schedule(timezone="../../etc/passwd"), "no time zone"),
        ({"event": "task.created"}, "write it as `trigger`"),
        ({"run_ended": {"workflow": "nobody"}}, "no workflow 'nobody'"),
        ({"run_ended": {"workflow": "hourly", "states": ["running"]}}, "no run ends as .running."),
        ({"event": "a", "message": "b"}, "exactly one"),
        ({"webhook": {"path": "taken", "secret": "SHOP"}}, "that of workflow 'first'"),
    ],
)
def test_a_trigger_that_cannot_work_is_refused_with_its_place(
    house: InProcessFleet, trigger: dict[str, object], problem: str
) -> None:
    activate(house, triggered("first", {"webhook": {"path": "taken", "secret": "SHOP"}}))
    with pytest.raises(MalformedWorkflow, match=problem) as refused:
        activate(house, triggered("hourly", "sound", trigger))
    assert refused.value.faults[0].at[:2] == ("triggers", 1)
