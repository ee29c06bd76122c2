"""Carrying orders through their weeks: the clock leaps whenever the fleet is idle and orders wait."""

import threading
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from fleet.demonstration import FIRST_MORNING, Demonstration, SampleProgress
from statemachine.orders.states import State
from tests.support.api.background_work import working_in_background
from tests.support.factories import PARTS_MISSING, READY, answered, submission
from tests.support.in_process_fleet import InProcessFleet
from tests.support.probe import Probe
from tests.support.waiting import wait_until
from workers.app import make_app
from workers.process import Process


@pytest.fixture
def process(house: InProcessFleet) -> Iterator[Process]:
    made = Process(house.settings, make_app(house.settings), name="up")
    yield made
    made.database.close()


def goes_its_way(house: InProcessFleet) -> None:
    """An order arrives and is carried through the days that its customer waits for a part."""
    order = submission(answered(PARTS_MISSING), answered(READY))
    house.accept(order)
    wait_until(lambda: house.order(order.body.task_id).status is State.CLOSED, seconds=180)


def test_without_samples_orders_that_arrive_later_are_leapt_for_too(
    house: InProcessFleet, process: Process
) -> None:
    looks: list[SampleProgress] = []
    ends: list[object] = []
    demonstration = Demonstration(
        process=process, time_jump=True, show=looks.append, finished=lambda *told: ends.append(told)
    )
    thread = threading.Thread(target=demonstration.run, args=((),))
    thread.start()
    try:
        wait_until(lambda: bool(looks))
        assert looks[0].total == 0
        with working_in_background(house):
            for _ in range(2):
                goes_its_way(house)
    finally:
        demonstration.stopped.set()
        thread.join(180)
    assert ends == []


def test_with_samples_it_ends_when_they_are_settled(
    house: InProcessFleet, process: Process, tmp_path: Path
) -> None:
    sample = tmp_path / "orders.jsonl"
    sample.write_text(
        submission(answered(READY)).body.model_dump_json(exclude_none=True) + "\n", encoding="utf-8"
    )
    ends: list[int] = []
    demonstration = Demonstration(
        process=process,
        time_jump=True,
        show=lambda _: None,
        finished=lambda standings, _: ends.append(len(standings)),
    )
    with working_in_background(house):
        demonstration.run([sample])
    assert ends == [1]


def test_the_orders_of_today_arrive_on_a_working_morning_once(
    house: InProcessFleet, process: Process, tmp_path: Path
) -> None:
    files = [tmp_path / "before.jsonl", tmp_path / "today.jsonl"]
    orders = [submission(answered(READY)), submission(answered("喂？听不清，你说什么"))]
    for file, order in zip(files, orders, strict=True):
        file.write_text(order.body.model_dump_json(exclude_none=True) + "\n", encoding="utf-8")
    ends: list[datetime] = []
    demonstration = Demonstration(
        process=process, time_jump=True, show=lambda _: None, finished=lambda _, now: ends.append(now)
    )
    with working_in_background(house):
        demonstration.run(files)
        demonstration.run(files)
    morning, again = (moment.astimezone(FIRST_MORNING.tzinfo) for moment in ends)
    assert (morning.hour, process.context.calendar.is_working_day(morning.date())) == (9, True)
    assert again.date() == morning.date()
    (deadline,) = Probe(house.database).values("SELECT deadline_at FROM reviews")
    assert deadline > morning
