"""HTTP steps: what they return, with which codes they fail, and what is tried again."""

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from engine.begin import Begin
from engine.catalogue import workflow_of
from engine.outcomes import Done
from tests.support.engine.general_runs import ScriptedActions
from tests.support.flows.http_steps import SECRET, HttpHouse, here, http_house, workflow
from tests.support.flows.other_side import OtherSide, Said, said_json
from tests.support.probe import Probe

Opened = Callable[..., HttpHouse]


@pytest.fixture
def opened(database_url: str, side: OtherSide) -> Iterator[Opened]:
    """Opens a process over workflows, which may ask the server."""
    with ExitStack() as stack:
        yield lambda *workflows: stack.enter_context(
            http_house(database_url, {"127.0.0.1": here(side.port)}, *workflows)
        )


def asking(side: OtherSide, method: str = "GET", path: str = "/", **request: Any) -> dict[str, Any]:
    return {"request": {"method": method, "url": f"{side.url}{path}", **request}}


def outcome(house: HttpHouse, name: str = "w") -> Any:
    """What became of a run of this workflow, once nothing is left to do."""
    run_id = house.begin(name)
    house.run_through()
    return house.step(run_id)


def test_a_step_returns_status_headers_and_body(opened: Opened, side: OtherSide) -> None:
    side.behaviour = lambda _: said_json({"id": 7}, 201, {"Location": "/items/7"})
    request = asking(
        side,
        "POST",
        "/items?a=1",
        headers={"X-Kind": "k"},
        query={"n": [1, True], "q": "中 文"},
        body={"s": "中"},
    )
    step = outcome(opened(workflow("w", request)))
    assert (step.state, step.output) == (
        "done",
        {
            "status": 201,
            "headers": {"content-type": "application/json", "location": "/items/7"},
            "body": {"id": 7},
        },
    )
    (asked,) = side.asked
    assert (asked.method, asked.path) == ("POST", "/items?a=1&n=1&n=true&q=%E4%B8%AD+%E6%96%87")
    assert asked.json == {"s": "中"}
    assert asked.headers["user-agent"] == "unpend"
    assert asked.headers["x-kind"] == "k"
    assert asked.headers["idempotency-key"].endswith(f".{step.step_id}")


@pytest.mark.parametrize(
    ("method", "more", "status", "code", "times"),
    [
        ("GET", {}, 404, "http_404", 1),
        ("GET", {}, 408, "http_408", 3),
        ("GET", {}, 425, "http_425", 3),
        ("GET", {}, 429, "rate_limited", 3),
        ("GET", {}, 500, "unavailable", 3),
        ("PUT", {}, 502, "unavailable", 3),
        ("POST", {}, 429, "rate_limited", 3),
        ("POST", {}, 503, "unavailable", 3),
        ("POST", {}, 409, "http_409", 1),
        # Who answers so may have done a part of it, or does not know what became of it.
        ("POST", {}, 500, "unknown_outcome", 1),
        ("PATCH", {}, 504, "unknown_outcome", 1),
        ("POST", {"idempotent": True}, 504, "unavailable", 3),
    ],
)
def test_an_answer_that_is_not_good_has_its_code(
    method: str, more: dict[str, Any], status: int, code: str, times: int, opened: Opened, side: OtherSide
) -> None:
    side.behaviour = lambda _: Said(status)
    step = outcome(opened(workflow("w", asking(side, method) | more)))
    assert (step.state, step.error["code"], len(side.asked)) == ("failed", code, times)
    assert len({asked.headers["idempotency-key"] for asked in side.asked}) == 1


@pytest.mark.parametrize("ok", [[404], ["2xx", "4xx"]])
def test_a_step_says_which_answers_are_good(ok: list[Any], opened: Opened, side: OtherSide) -> None:
    side.behaviour = lambda _: Said(404)
    assert outcome(opened(workflow("w", asking(side, ok=ok)))).output["status"] == 404


def test_a_redirect_that_is_a_good_answer_is_not_followed(opened: Opened, side: OtherSide) -> None:
    side.behaviour = lambda _: Said(302, {"Location": "/there"})
    step = outcome(opened(workflow("w", asking(side, ok=["2xx", 302]))))
    assert (step.output["status"], step.output["headers"]["location"]) == (302, "/there")


def test_a_pause_that_was_asked_for_is_kept(opened: Opened, side: OtherSide) -> None:
    side.behaviour = lambda _: Said(429, {"Retry-After": "600"})
    house = opened(workflow("w", asking(side)))
    run_id = house.begin("w")
    house.fleet.run()
    pause = "SELECT extract(epoch FROM due_at - clock_timestamp()) FROM steps WHERE run_id = %s"
    assert 500 < Probe(house.fleet.database).value(pause, run_id) <= 600
    assert len(side.asked) == 1


@pytest.mark.parametrize(
    ("method", "code", "times"), [("GET", "unavailable", 3), ("POST", "unknown_outcome", 1)]
)
def test_a_connection_that_breaks_is_tried_again_where_that_is_harmless(
    method: str, code: str, times: int, opened: Opened, side: OtherSide
) -> None:
    side.behaviour = lambda _: Said(drop=True)
    step = outcome(opened(workflow("w", asking(side, method))))
    assert (step.error["code"], len(side.asked)) == (code, times)


def test_a_request_that_nobody_took_is_made_again(database_url: str, side: OtherSide) -> None:
    """Nothing has left, so the next try is the first one."""
    turns = iter((False, True))

    def resolver(*_: object) -> list[str]:
        if not next(turns):
            raise OSError("no such name")
        return ["127.0.0.1"]

    request = {"request": {"method": "POST", "url": f"http://pay.example:{side.port}/"}}
    hosts = {"pay.example": here(side.port)}
    with http_house(database_url, hosts, workflow("w", request), resolver=resolver) as house:
        assert outcome(house).state == "done"
        rows = Probe(house.fleet.database).rows("SELECT tries, state FROM http_requests ORDER BY tries")
    assert [tuple(row) for row in rows] == [(0, "unsent"), (1, "answered")]
    assert len(side.asked) == 1


def test_a_secret_goes_out_and_is_never_kept(opened: Opened, side: OtherSide) -> None:
    parameters = asking(
        side,
        "POST",
        headers={"Authorization": "Bearer ${secret.PAY}"},
        body={"sum": 1, "key": "${secret.PAY}"},
    )
    echoing = workflow("w", parameters)
    refused = workflow("refused", parameters)
    side.behaviour = lambda asked: said_json(
        {"echo": asked.headers["authorization"], "of": asked.body.decode()}
    )
    house = opened(echoing, refused)
    assert outcome(house).output["body"]["echo"] == "Bearer ***"
    assert side.asked[0].headers["authorization"] == f"Bearer {SECRET}"
    assert side.asked[0].json == {"sum": 1, "key": SECRET}
    side.behaviour = lambda asked: said_json(asked.headers["authorization"], 400)
    failed = outcome(house, "refused")
    assert failed.error == {"code": "http_400", "message": "answered 400: Bearer ****"}
    assert holding(house, SECRET) == []


def holding(house: HttpHouse, word: str) -> list[str]:
    """The tables that hold a word in clear."""
    tables = Probe(house.fleet.database).values(
        "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
    )
    found = "SELECT count(*) FROM {} r WHERE strpos(CAST(r AS text), %s) > 0"
    return [table for table in tables if Probe(house.fleet.database).value(found.format(table), word)]


def test_a_secret_in_data_is_no_secret(opened: Opened, side: OtherSide) -> None:
    """Data is what a run or a task is begun with, and what another system has answered."""
    side.behaviour = lambda asked: said_json(asked.body.decode())
    headers = {"Authorization": "Bearer ${secret.PAY}"}
    filled = asking(side, "PUT", body="of ${given}", headers=headers)
    house = opened(workflow("w", filled) | {"variables": {"given": ""}})
    run_id = house.begin("w", given="${secret.PAY}")
    house.run_through()
    step = house.step(run_id)
    assert (step.state, step.output["body"]) == ("done", "of ${secret.PAY}")
    assert side.asked[-1].headers["authorization"] == f"Bearer {SECRET}"
    body = {"request": {"method": "PUT", "url": side.url, "body": "${secret.PAY}"}}
    with house.fleet.engine.transaction() as transaction:
        run = Begin(run_id="exec_data", workflow=workflow_of("general.http"), variables=body)
        transaction.begin([run])
    house.run_through()
    assert house.step("exec_data").output["body"] == "${secret.PAY}"


@pytest.mark.parametrize(
    ("request_", "code", "said"),
    [
        ({"headers": {"X-A": "1\r\nX-Evil: 2"}}, "invalid_input", "without line breaks"),
        ({"headers": {"X\r\nA": "1"}}, "invalid_input", "characters that HTTP does not allow"),
        ({"headers": {"Host": "other"}}, "invalid_input", "set by the worker"),
        ({"headers": {"Transfer-Encoding": "chunked"}}, "invalid_input", "set by the worker"),
        ({"seconds": 61}, "invalid_input", "must be at most 60"),
        ({"method": "TRACE"}, "invalid_input", "must be one of"),
        ({"url": "https://elsewhere.example/"}, "not_allowed", "not in config/http.yaml"),
        ({"headers": {"A": "${secret.NONE}"}}, "secret_missing", "no secret 'NONE'"),
        ({"headers": {"A": "${secret.UNSET}"}}, "secret_missing", "give UNPEND_SECRET_UNSET"),
    ],
)
def test_what_cannot_be_sent_is_not_sent(
    request_: dict[str, Any], code: str, said: str, opened: Opened, side: OtherSide
) -> None:
    step = outcome(opened(workflow("w", {"request": asking(side, "POST")["request"] | request_})))
    assert (step.state, step.error["code"]) == ("failed", code)
    assert said in step.error["message"]
    assert side.asked == []


def test_the_steps_of_a_message_are_asked_at_the_same_time(opened: Opened, side: OtherSide) -> None:
    everybody = threading.Event()

    def together(_: object) -> Said:
        if len(side.asked) == 3:
            everybody.set()
        return Said(after=everybody)

    side.behaviour = together
    house = opened(workflow("w", asking(side, seconds=60)))
    runs = [house.begin("w") for _ in range(3)]
    # Published together, by a tick that finds them ready.
    house.fleet.wire.messages.clear()
    Probe(house.fleet.database).write("UPDATE steps SET state = 'ready'")
    house.run_through()
    assert [house.step(run_id).state for run_id in runs] == ["done"] * 3


def test_what_an_earlier_step_returned_is_no_parameter(database_url: str, side: OtherSide) -> None:
    """It stands in the input, too, and might say that a request may be repeated, or is to be called back."""
    side.behaviour = lambda _: Said(500)
    said = {"idempotent": True, "callback": True}
    scripted = ScriptedActions({"first": lambda _: Done(output=said)})
    made = workflow("w", asking(side, "POST"))
    first = {"id": "first", "agent": "audit", "action": "check", "next": "ask"}
    made["steps"].insert(0, first)
    hosts = {"127.0.0.1": here(side.port)}
    with http_house(database_url, hosts, made, actions=scripted.actions()) as house:
        run_id = house.begin("w")
        house.run_through()
        query = "SELECT input, error FROM steps WHERE run_id = %s AND node = 'ask'"
        step = Probe(house.fleet.database).row(query, run_id)
    assert step.input["idempotent"] is True
    assert (step.error["code"], len(side.asked)) == ("unknown_outcome", 1)
    assert "unpend-callback" not in side.asked[0].headers
