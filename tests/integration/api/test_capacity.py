"""The capacity's routes: set by administrators, read page by page, offered for an order."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest

from storage.engine.clock import BusinessClock
from tests.support.api.client import ApiClient, api_over, register_keys
from tests.support.factories import answered
from tests.support.in_process_fleet import InProcessFleet
from tests.support.orders.order_system import OrderSystemServer, Reply
from tests.support.orders.signals import order_run, taken_in


def today(api: ApiClient) -> date:
    with api.house.database.transaction() as work:
        return BusinessClock(work).now().business_now.date()


def days(*given: tuple[str, date, int]) -> dict[str, Any]:
    return {"days": [{"region": r, "day": d.isoformat(), "capacity": n} for r, d, n in given]}


def test_what_is_set_is_listed_day_by_day(api: ApiClient) -> None:
    first = today(api) + timedelta(days=1)
    body = days(("华东", first + timedelta(days=1), 2), ("华东", first, 1), ("华北", first, 3))
    assert api.call("PUT", "/capacity", json=body).json() == {"success": True, "updated": 3}
    listed = api.get("/capacity").json()["days"]
    found = {(d["region"], d["day"], d["capacity"], d["booked"], d["free"]) for d in listed}
    assert found == {(d["region"], d["day"], d["capacity"], 0, d["capacity"]) for d in body["days"]}
    assert [d["day"] for d in listed] == sorted(d["day"] for d in listed)


def test_pages_hold_every_day_once(api: ApiClient) -> None:
    first = today(api) + timedelta(days=1)
    given = [(region, first + timedelta(days=nth), nth) for nth in range(4) for region in ("a", "b")]
    api.call("PUT", "/capacity", json=days(*given))
    found, cursor = [], None
    while True:
        page = api.get("/capacity", params={"limit": 3} | ({"cursor": cursor} if cursor else {})).json()
        found += [(day["region"], day["day"]) for day in page["days"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert sorted(found) == sorted((region, day.isoformat()) for region, day, _ in given)


def test_setting_again_changes_and_never_below_what_is_booked(api: ApiClient) -> None:
    day = today(api) + timedelta(days=1)
    every = [("default", day + timedelta(days=nth), 1) for nth in range(3)]
    api.call("PUT", "/capacity", json=days(*every))
    order_run(api.house, answered("配件到了，可以安排师傅上门了"))
    full = next(d for d in api.get("/capacity").json()["days"] if d["booked"])
    refused = api.call("PUT", "/capacity", json=days(*[(r, d, 0) for r, d, _ in every]))
    assert refused.status_code == 409
    assert refused.json()["error"]["details"]["days"] == [full]
    assert api.call("PUT", "/capacity", json=days(*[(r, d, 5) for r, d, _ in every])).status_code == 200
    assert {d["capacity"] for d in api.get("/capacity").json()["days"]} == {5}


@pytest.mark.parametrize(
    "day",
    [
        {"region": "", "day": "2026-03-16", "capacity": 1},
        {"region": "a b", "day": "2026-03-16", "capacity": 1},
        {"region": "a\x00", "day": "2026-03-16", "capacity": 1},
        {"region": "a" * 65, "day": "2026-03-16", "capacity": 1},
        {"region": "a", "day": "0001-01-01", "capacity": 1},
        {"region": "a", "day": "soon", "capacity": 1},
        {"region": "a", "day": "2026-03-16", "capacity": -1},
        {"region": "a", "day": "2026-03-16", "capacity": 2**40},
        {"region": "a", "day": "2026-03-16"},
        {"region": "a", "day": "2026-03-16", "capacity": 1, "booked": 0},
    ],
)
def test_what_is_no_capacity_is_refused(api: ApiClient, day: dict[str, Any]) -> None:
    assert api.call("PUT", "/capacity", json={"days": [day]}).status_code == 422


def test_a_day_named_twice_is_refused(api: ApiClient) -> None:
    twice = ("a", date(2026, 3, 16), 1)
    assert api.call("PUT", "/capacity", json=days(twice, twice)).status_code == 422


def test_only_administrators_see_and_set_it(api: ApiClient) -> None:
    assert api.get("/capacity", "operator").status_code == 403
    body = days(("a", date(2026, 3, 16), 1))
    assert api.call("PUT", "/capacity", "operator", json=body).status_code == 403


def test_an_order_is_offered_the_days_with_room_in_its_region(api: ApiClient) -> None:
    first = today(api) + timedelta(days=1)
    given = [("华东", first, 0), ("华东", first + timedelta(days=1), 4), ("华北", first, 9)]
    api.call("PUT", "/capacity", json=days(*given))
    task_id = taken_in(api.house, metadata={"region": "华东"})
    assert api.get(f"/tasks/{task_id}/slots", "operator").json() == {
        "task_id": task_id,
        "region": "华东",
        "limited": True,
        "slots": [{"day": (first + timedelta(days=1)).isoformat(), "free": 4, "capacity": 4}],
    }


def test_a_region_without_a_capacity_is_not_limited(api: ApiClient) -> None:
    task_id = taken_in(api.house)
    body = api.get(f"/tasks/{task_id}/slots").json()
    assert (body["region"], body["limited"], body["slots"]) == ("default", False, [])


def test_slots_of_no_order_or_too_long_a_span_are_refused(api: ApiClient) -> None:
    assert api.get("/tasks/HT-none/slots").status_code == 404
    task_id = taken_in(api.house)
    assert api.get(f"/tasks/{task_id}/slots", params={"to": "2199-01-01"}).status_code == 422


@pytest.fixture
def desk() -> Iterator[OrderSystemServer]:
    with OrderSystemServer() as opened:
        yield opened


def test_another_order_system_is_asked_for_its_own_slots(database_url: str, desk: OrderSystemServer) -> None:
    house = InProcessFleet.build(database_url, order_system_url=desk.url, order_system_secret=desk.secret)
    register_keys(house)
    day = "2099-03-16"
    desk.lay_out("slots", Reply(body={"slots": [{"day": day, "free": 2}]}), Reply(status=500))
    with api_over(house) as caller:
        task_id = taken_in(house)
        assert caller.get(f"/tasks/{task_id}/slots").json()["slots"] == [
            {"day": day, "free": 2, "capacity": None}
        ]
        assert caller.get(f"/tasks/{task_id}/slots").status_code == 503
    house.close()
