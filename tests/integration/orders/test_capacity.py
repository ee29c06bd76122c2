"""Engineers' capacity: visits are booked where there is room, never too many, and give their place back."""

import threading
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runtime.cipher import Cipher
from schemas.orders.effects import AppointmentBooked
from statemachine.orders.intents import Level2
from storage.core.database import Database
from storage.engine.clock import BusinessClock
from storage.orders.capacity import Capacity, DayCapacity
from storage.orders.places import Changes, NoPlaceLeft, Places
from storage.people.reviews import Review, Reviews
from tasks.orders.people.deciding import Decision, decide
from tasks.orders.people.intervention import cancel
from tests.support.factories import READY, answered, payload, submission
from tests.support.in_process_fleet import CIPHER_KEY, InProcessFleet
from tests.support.orders.signals import order_run, taken_in
from tests.support.probe import Probe
from tests.support.servers import Servers

REGION = "华东"
CHINA = ZoneInfo("Asia/Shanghai")
IN_TWO_DAYS = "配件到了，后天可以安排师傅上门"


@pytest.fixture
def today(house: InProcessFleet) -> date:
    """The business clock's day, set to a morning so that no test runs over midnight."""
    with house.database.transaction() as work:
        morning = datetime.combine(
            BusinessClock(work).now().business_now.astimezone(CHINA).date() + timedelta(days=1),
            datetime.min.time().replace(hour=10),
            tzinfo=CHINA,
        )
        BusinessClock(work).set(morning.astimezone(UTC))
    return morning.date()


def give(house: InProcessFleet, region: str, rooms: dict[date, int]) -> None:
    with house.database.transaction() as work:
        days = [DayCapacity(region=region, day=day, capacity=room) for day, room in rooms.items()]
        assert Capacity(work).set(days) == []


def booked(house: InProcessFleet, region: str = REGION) -> dict[date, int]:
    with house.database.transaction() as work:
        days = Capacity(work).days(region=region, first=date(2000, 1, 1), last=date(2199, 1, 1))
    return {day.day: day.booked for day in days}


def visits(house: InProcessFleet, task_id: str) -> list[dict[str, Any]]:
    rows = Probe(house.database).rows(
        "SELECT * FROM appointments WHERE task_id = %s ORDER BY action_id", task_id
    )
    return [dict(row._mapping) for row in rows]


def review_of(house: InProcessFleet, task_id: str) -> Review:
    with house.database.transaction() as work:
        (review,) = Reviews(work).list(task_id=task_id)
    return review


def ready(house: InProcessFleet, words: str = IN_TWO_DAYS, region: str = REGION, **changes: Any) -> str:
    return order_run(house, answered(words), metadata={"region": region}, **changes)


def test_a_region_without_a_capacity_takes_every_visit(house: InProcessFleet, today: date) -> None:
    give(house, "elsewhere", {today + timedelta(days=2): 0})
    task_id = ready(house)
    (visit,) = visits(house, task_id)
    assert visit["visit_at"].astimezone(CHINA).date() == today + timedelta(days=2)
    assert (visit["region"], visit["day"]) == (None, None)


def test_the_day_the_customer_named_is_booked_where_it_has_room(house: InProcessFleet, today: date) -> None:
    day = today + timedelta(days=2)
    give(house, REGION, {day: 1})
    task_id = ready(house)
    (visit,) = visits(house, task_id)
    assert (visit["region"], visit["day"]) == (REGION, day)
    assert visit["visit_at"].astimezone(CHINA).hour == 9
    assert booked(house) == {day: 1}
    assert house.order(task_id).status == "closed"


def test_a_full_day_gives_way_to_the_next_with_room(house: InProcessFleet, today: date) -> None:
    full, free = today + timedelta(days=2), today + timedelta(days=5)
    give(house, REGION, {full: 0, full + timedelta(days=1): 0, free: 3})
    task_id = ready(house)
    (visit,) = visits(house, task_id)
    assert visit["day"] == visit["visit_at"].astimezone(CHINA).date() == free
    assert "顺延" in visit["note"]
    result = Probe(house.database).value(
        "SELECT result FROM actions WHERE task_id = %s AND action_type = 'update_appointment'", task_id
    )
    assert result["slot"]["day"] == free.isoformat()
    assert result["slot"]["as_asked"] is False


def test_days_beyond_a_week_are_for_a_person(house: InProcessFleet, today: date) -> None:
    give(house, REGION, {today + timedelta(days=2): 0, today + timedelta(days=10): 3})
    task_id = ready(house)
    review = review_of(house, task_id)
    assert review.reason == "no_capacity"
    assert str(today + timedelta(days=10)) in review.question
    assert visits(house, task_id) == []
    assert house.order(task_id).status == "classified"


def test_days_beyond_the_customers_own_range_are_for_a_person(house: InProcessFleet, today: date) -> None:
    first, last = today + timedelta(days=1), today + timedelta(days=3)
    give(house, REGION, {first: 0, last: 0, last + timedelta(days=1): 5})
    words = f"配件到了，{first.month}月{first.day}日到{last.month}月{last.day}日可以安排师傅上门"
    assert review_of(house, ready(house, words)).reason == "no_capacity"
    give(house, REGION, {last: 1})
    (visit,) = visits(house, ready(house, words))
    assert visit["day"] == last


def test_an_order_without_a_day_is_given_the_next_with_room(house: InProcessFleet, today: date) -> None:
    give(house, "default", {today: 5, today + timedelta(days=3): 1})
    task_id = order_run(house, answered(READY))
    (visit,) = visits(house, task_id)
    assert visit["day"] == today + timedelta(days=3)


def test_a_person_may_choose_one_of_the_days_offered(house: InProcessFleet, today: date) -> None:
    day = today + timedelta(days=12)
    give(house, REGION, {day: 1})
    task_id = ready(house)
    decision = Decision(
        decision="classify",
        decided_by="王芳",
        intent_level2=Level2.READY_TO_VISIT,
        visit_at=datetime.combine(day, datetime.min.time().replace(hour=15), tzinfo=CHINA),
    )
    decide(house.engine, house.context, review_of(house, task_id).review_id, decision)
    house.run()
    (visit,) = visits(house, task_id)
    assert (visit["day"], visit["visit_at"].astimezone(CHINA).hour) == (day, 15)


def test_orders_of_one_message_are_not_given_the_same_place(house: InProcessFleet, today: date) -> None:
    first = today + timedelta(days=2)
    give(house, REGION, {first + timedelta(days=nth): 1 for nth in range(3)})
    orders = [submission(answered(IN_TWO_DAYS), metadata={"region": REGION}) for _ in range(3)]
    house.accept(*orders)
    house.run()
    days = sorted(visits(house, order.body.task_id)[0]["day"] for order in orders)
    assert days == [first + timedelta(days=nth) for nth in range(3)]
    assert set(booked(house).values()) == {1}


def test_a_place_taken_meanwhile_sends_the_order_to_the_next_day(house: InProcessFleet, today: date) -> None:
    """Between the look and the record somebody else books: the step is done anew, without a fault counted."""
    first = today + timedelta(days=2)
    give(house, REGION, {first: 1, first + timedelta(days=1): 1})
    task_id = taken_in(house, answered(IN_TWO_DAYS), metadata={"region": REGION})
    message = _until_action(house)
    action = house.engine.registry.get("action.execute_action")
    batch = house.engine.claim(action, message.keys, "lease_of_the_test")
    assert batch is not None
    outcomes = house.engine.work(action, batch)
    other = ready(house)
    house.engine.record(batch, outcomes)
    house.engine._keeper.let_go("lease_of_the_test")
    assert visits(house, other)[0]["day"] == first
    assert visits(house, task_id) == []
    house.run()
    assert visits(house, task_id)[0]["day"] == first + timedelta(days=1)
    assert [step["tries"] for step in house.steps(task_id) if step["node"] == "step7_execute"] == [0]
    assert set(booked(house).values()) == {1}


def _until_action(house: InProcessFleet) -> Any:
    """Deliver everything but the action agent's message, and hand that over."""
    while True:
        message = house.wire.messages.popleft()
        if message.action == "action.execute_action":
            return message
        house.execute(message)


def test_a_cancelled_task_gives_its_place_back(house: InProcessFleet, today: date) -> None:
    day = today + timedelta(days=2)
    give(house, REGION, {day: 1})
    task_id = taken_in(house, answered(IN_TWO_DAYS), metadata={"region": REGION})
    house.execute(_until_action(house))
    assert booked(house) == {day: 1}
    cancel(house.engine, task_id, by="operator", reason="客户取消")
    assert booked(house) == {day: 0}
    assert visits(house, task_id)[0]["released_at"] is not None


def test_an_order_that_comes_back_is_booked_anew_and_frees_its_place(
    house: InProcessFleet, today: date
) -> None:
    day = today + timedelta(days=2)
    give(house, REGION, {day: 1, day + timedelta(days=1): 1})
    body = payload(metadata={"region": REGION})
    first = ready(house, order_id=body["order_id"])
    again = ready(house, order_id=body["order_id"])
    assert visits(house, again)[0]["day"] == day + timedelta(days=1)
    assert visits(house, first)[0]["released_at"] is not None
    assert booked(house) == {day: 0, day + timedelta(days=1): 1}


def test_a_cancelled_order_frees_the_place_of_its_coming_visit(house: InProcessFleet, today: date) -> None:
    day = today + timedelta(days=2)
    give(house, REGION, {day: 1})
    body = payload(metadata={"region": REGION})
    ready(house, order_id=body["order_id"])
    off = order_run(house, answered("不用了，取消吧，我不修了"), order_id=body["order_id"])
    assert booked(house) == {day: 1}
    house.leap()
    house.run()
    assert house.order(off).status == "closed"
    assert booked(house) == {day: 0}


def test_fewer_places_than_are_booked_are_refused_as_a_whole(house: InProcessFleet, today: date) -> None:
    day, other = today + timedelta(days=2), today + timedelta(days=3)
    give(house, REGION, {day: 1})
    ready(house)
    with house.database.transaction() as work:
        wanted = [DayCapacity(region=REGION, day=d, capacity=0) for d in (day, other)]
        assert [(d.day, d.booked) for d in Capacity(work).set(wanted)] == [(day, 1)]
    assert booked(house) == {day: 1}


DAYS = [date(2099, 1, day) for day in (1, 2, 3)]


def appointment(order: int, day: date) -> AppointmentBooked:
    return AppointmentBooked(
        action_id=f"ACT{threading.get_ident()}{order}"[-32:],
        task_id=f"HT{order}",
        order_id=f"SO{order}",
        visit_at=datetime.combine(day, datetime.min.time(), tzinfo=UTC),
        engineer_id="E",
        note="",
        region=REGION,
        day=day,
    )


def book(database: Database, wanted: Sequence[tuple[int, date]]) -> int:
    """Book these as one recording does, for orders that stay unknown; how many found a place."""
    changes = Changes(booked=[(order, appointment(order, day)) for order, day in wanted])
    with database.transaction() as work:
        places = Places(work)
        refused: dict[int, NoPlaceLeft] = places.judge(changes)
        places.write(changes.without(refused))
    return len(wanted) - len(refused)


def test_threads_that_book_at_once_never_book_too_many(database: Database) -> None:
    """Batches over the same days in different orders: no deadlock, no place given twice, none left over."""
    with database.transaction() as work:
        Capacity(work).set([DayCapacity(region=REGION, day=day, capacity=7) for day in DAYS])
    found: list[int] = []
    begin = threading.Barrier(4)

    def run(nth: int) -> None:
        begin.wait()
        for turn in range(6):
            days = DAYS if (nth + turn) % 2 else DAYS[::-1]
            orders = range(1000 * nth + 10 * turn, 1000 * nth + 10 * turn + len(days))
            found.append(book(database, list(zip(orders, days, strict=True))))

    _together(run, 4)
    with database.transaction() as work:
        days = Capacity(work).days(region=REGION, first=DAYS[0], last=DAYS[-1])
    assert [day.booked for day in days] == [7, 7, 7]
    assert sum(found) == 21
    assert len(found) == 24


def _together(run: Callable[[int], None], threads: int) -> None:
    running = [threading.Thread(target=run, args=(nth,)) for nth in range(threads)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join(180)
    assert not any(thread.is_alive() for thread in running)


def test_a_recording_fills_each_day_exactly_as_far_as_there_is_room(servers: Servers) -> None:
    with Database(servers.new_database(), Cipher(CIPHER_KEY)) as database:

        @settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
        @given(
            rooms=st.lists(st.integers(0, 3), min_size=3, max_size=3),
            wanted=st.lists(st.sampled_from(range(3)), max_size=12),
        )
        def law(rooms: list[int], wanted: list[int]) -> None:
            with database.transaction() as work:
                work.connection.exec_driver_sql("DELETE FROM engineer_capacity")
                Capacity(work).set(
                    [
                        DayCapacity(region=REGION, day=day, capacity=room)
                        for day, room in zip(DAYS, rooms, strict=True)
                    ]
                )
            taken = book(database, [(order, DAYS[nth]) for order, nth in enumerate(wanted)])
            with database.transaction() as work:
                days = Capacity(work).days(region=REGION, first=DAYS[0], last=DAYS[-1])
            expected = [min(room, wanted.count(nth)) for nth, room in enumerate(rooms)]
            assert [day.booked for day in days] == expected
            assert taken == sum(expected)

        law()
