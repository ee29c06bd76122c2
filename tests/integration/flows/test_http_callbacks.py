"""A step that waits to be called back: its one-time address, once, before and after the answer, or never."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.api.client import ApiClient, api_over, register_keys
from tests.support.flows.http_steps import CALLBACKS, SECRET, HttpHouse, here, http_house, workflow
from tests.support.flows.other_side import OtherSide, Said, said_json
from tests.support.probe import Probe


@pytest.fixture
def house(database_url: str, side: OtherSide) -> Iterator[HttpHouse]:
    parameters = {
        "request": {"method": "POST", "url": side.url, "headers": {"Authorization": "Bearer ${secret.PAY}"}},
        "callback": True,
        "deadline_seconds": 600,
    }
    with http_house(database_url, {"127.0.0.1": here(side.port)}, workflow("w", parameters)) as opened:
        yield opened


@pytest.fixture
def api(house: HttpHouse) -> Iterator[ApiClient]:
    register_keys(house.fleet)
    with api_over(house.fleet) as caller:
        yield caller


def path_of(side: OtherSide) -> str:
    """Where the other side was told to call, as our API knows it."""
    address = side.asked[-1].headers["unpend-callback"]
    assert address.startswith(f"{CALLBACKS}/callbacks/http/")
    return address.removeprefix(CALLBACKS)


def parked(house: HttpHouse) -> str:
    """A run whose step has its answer, and waits to be called back."""
    run_id = house.begin("w")
    house.fleet.run()
    assert house.step(run_id).state == "parked"
    return run_id


def test_the_first_call_lets_the_step_go_on_and_a_second_changes_nothing(
    api: ApiClient, house: HttpHouse, side: OtherSide
) -> None:
    side.behaviour = lambda _: said_json({"id": 7}, 202)
    run_id = parked(house)
    path = path_of(side)
    first = api.post(path, None, json={"paid": [True, "中"]})
    assert (first.status_code, first.json()) == (200, {"success": True, "outcome": "applied"})
    second = api.post(path, None, json={"paid": "other"})
    assert (second.status_code, second.json()["outcome"]) == (200, "late")
    house.fleet.run()
    third = api.post(path, None, json={"paid": "other"})
    assert (third.status_code, third.json()["outcome"]) == (200, "late")
    house.fleet.run()
    step = house.step(run_id)
    assert (step.state, step.output) == (
        "done",
        {
            "status": 202,
            "headers": {"content-type": "application/json"},
            "body": {"id": 7},
            "callback": {"paid": [True, "中"]},
        },
    )
    assert len(side.asked) == 1


def test_callers_at_the_same_moment_are_one_and_others(
    api: ApiClient, house: HttpHouse, side: OtherSide
) -> None:
    run_id = parked(house)
    calls = [api.prepare("POST", path_of(side), None, json=nth) for nth in range(8)]
    outcomes = [answer.json()["outcome"] for answer in api.at_once(calls)]
    assert sorted(outcomes) == ["applied", *["late"] * 7]
    house.fleet.run()
    assert house.step(run_id).output["callback"] == outcomes.index("applied")


def test_a_call_that_comes_before_the_answer_is_heard(
    api: ApiClient, house: HttpHouse, side: OtherSide
) -> None:
    outcomes: list[str] = []

    def call_first(asked: Any) -> Said:
        path = asked.headers["unpend-callback"].removeprefix(CALLBACKS)
        outcomes.append(api.post(path, None, json="early").json()["outcome"])
        return said_json("then the answer")

    side.behaviour = call_first
    run_id = house.begin("w")
    house.fleet.run()
    assert outcomes == ["early"]
    step = house.step(run_id)
    assert (step.state, step.output["body"], step.output["callback"]) == ("done", "then the answer", "early")


def test_a_call_tells_what_a_lost_worker_could_not(api: ApiClient, house: HttpHouse, side: OtherSide) -> None:
    """The answer never came; that it was carried out is known all the same."""
    run_id = house.begin("w")
    (message,) = house.fleet.wire.messages
    action = house.fleet.engine.registry.get(message.action)
    batch = house.fleet.engine.claim(action, message.keys, "lease_lost")
    assert batch is not None
    house.fleet.engine.work(action, batch)
    Probe(house.fleet.database).write("UPDATE http_requests SET state = 'sending', answer = NULL")
    Probe(house.fleet.database).write("UPDATE leases SET expires_at = clock_timestamp() - interval '1 s'")
    house.fleet.wire.messages.clear()
    house.fleet.tick.sweep()
    assert api.post(path_of(side), None, json=1).status_code == 200
    house.run_through()
    step = house.step(run_id)
    assert (step.state, step.output) == ("done", {"status": None, "headers": {}, "body": None, "callback": 1})
    assert len(side.asked) == 1


def test_a_step_that_nobody_calls_back_fails_when_its_time_is_up(house: HttpHouse) -> None:
    run_id = parked(house)
    seconds = "SELECT extract(epoch FROM due_at - clock_timestamp()) FROM steps WHERE run_id = %s"
    assert 500 < Probe(house.fleet.database).value(seconds, run_id) <= 600
    Probe(house.fleet.database).write("UPDATE steps SET due_at = clock_timestamp() - interval '1 s'")
    house.fleet.run()
    assert (house.step(run_id).state, house.step(run_id).error["code"]) == ("failed", "timeout")


def test_an_answer_that_is_not_good_is_not_waited_for(house: HttpHouse, side: OtherSide) -> None:
    side.behaviour = lambda _: Said(400)
    run_id = house.begin("w")
    house.run_through()
    assert house.step(run_id).error["code"] == "http_400"


def test_what_is_sent_to_an_address_is_bounded(api: ApiClient, house: HttpHouse, side: OtherSide) -> None:
    run_id = parked(house)
    path = path_of(side)
    for body, status in (
        (b"", 400),
        (b"{no json", 400),
        (b'"\\u0000"', 400),
        (b"[" * 65 + b"]" * 65, 400),
        (b'"' + b"x" * 262_144 + b'"', 413),
    ):
        headers = {"Content-Type": "application/json"}
        assert api.post(path, None, content=body, headers=headers).status_code == status
    for unknown in ("x", "x" * 43, path.rpartition("/")[2][:-1] + "~"):
        assert api.post(f"/callbacks/http/{unknown}", None, json=1).status_code == 404
    assert house.step(run_id).state == "parked"


def test_a_secret_that_is_sent_to_an_address_is_not_kept(
    api: ApiClient, house: HttpHouse, side: OtherSide
) -> None:
    run_id = parked(house)
    token = path_of(side).rpartition("/")[2]
    assert api.post(path_of(side), None, json={"you sent": f"Bearer {SECRET}"}).status_code == 200
    house.fleet.run()
    assert house.step(run_id).output["callback"] == {"you sent": "Bearer ***"}
    rows = Probe(house.fleet.database).values(
        "SELECT CAST(r AS text) FROM http_requests r UNION ALL SELECT CAST(s AS text) FROM steps s"
    )
    assert not [row for row in rows if SECRET in row or SECRET.encode().hex() in row]
    assert not [row for row in rows if token in row or token.encode().hex() in row]


def test_an_address_that_a_lost_worker_gave_away_still_counts(database_url: str, side: OtherSide) -> None:
    """A request that may be repeated is sent with another address; the other side may know the first alone."""
    parameters = {"request": {"method": "PUT", "url": side.url}, "callback": True}
    with http_house(database_url, {"127.0.0.1": here(side.port)}, workflow("w", parameters)) as house:
        run_id = house.begin("w")
        (message,) = house.fleet.wire.messages
        action = house.fleet.engine.registry.get(message.action)
        batch = house.fleet.engine.claim(action, message.keys, "lease_lost")
        assert batch is not None
        house.fleet.engine.work(action, batch)
        Probe(house.fleet.database).write("UPDATE http_requests SET state = 'sending', answer = NULL")
        Probe(house.fleet.database).write("UPDATE leases SET expires_at = clock_timestamp() - interval '1 s'")
        house.run_through()
        first, second = (asked.headers["unpend-callback"] for asked in side.asked)
        assert first != second
        with api_over(house.fleet) as api:
            answer = api.post(first.removeprefix(CALLBACKS), None, json=1)
        assert answer.json()["outcome"] == "applied"
        house.fleet.run()
        assert (house.step(run_id).state, house.step(run_id).output["callback"]) == ("done", 1)
