"""Events, messages, signals and webhooks over HTTP: what they begin, what is answered again, what is refused."""

import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import text

from engine.triggers.dispatch import InboxDispatcher
from storage.engine.definitions import Definitions
from tests.integration.triggers.conftest import SECRET
from tests.support.api.client import ApiClient
from tests.support.engine.triggered_runs import activate, given_to, runs_of, triggered
from tools.webhooks.signature import UnverifiedWebhook, new_secret, signed_headers, verified_id

HOOK = {"webhook": {"path": "shop", "secret": "SHOP"}}


def send(api: ApiClient, path: str = "/events", **body: Any) -> dict[str, Any]:
    answer = api.post(path, json={"name": "paid"} | body)
    assert answer.status_code == 202, answer.text
    found: dict[str, Any] = answer.json()
    return found


def entries(api: ApiClient) -> int:
    with api.house.database.transaction() as work:
        return int(work.connection.execute(text("SELECT count(*) FROM inbox")).scalar_one())


def posted(
    api: ApiClient,
    body: bytes = b'{"order": "O1"}',
    *,
    headers: Mapping[str, str] | None = None,
    path: str = "shop",
) -> Any:
    given = signed_headers([SECRET], "M1", int(time.time()), body) if headers is None else headers
    return api.post(
        f"/hooks/{path}", None, content=body, headers={"Content-Type": "application/json", **given}
    )


def test_an_event_begins_runs_and_the_same_id_is_answered_the_same(api: ApiClient) -> None:
    activate(api.house, triggered("first", "paid"))
    taken = send(api, id="E1", payload={"order": "O1"})
    (run,) = runs_of(api.house, "first")
    assert (taken["runs"], taken["dispatched"], taken["repeated"]) == ([run["run_id"]], True, False)
    assert send(api, id="E1", payload={"order": "other"}) == taken | {"repeated": True}
    assert given_to(api.house, "first") == [{"order": "O1"}]
    assert send(api)["runs"] != taken["runs"]


def test_the_same_event_from_many_callers_at_once_begins_one_run(api: ApiClient) -> None:
    activate(api.house, triggered("first", "paid"))
    calls = [api.prepare("POST", "/events", json={"name": "paid", "id": "E1"}) for _ in range(8)]
    answers = [answer.json() for answer in api.at_once(calls)]
    assert len({tuple(answer["runs"]) for answer in answers}) == len(runs_of(api.house, "first")) == 1
    assert sorted(answer["repeated"] for answer in answers) == [False] + [True] * 7


def test_a_message_is_kept_and_a_signal_is_not(api: ApiClient) -> None:
    assert send(api, "/messages", key="O1", id="M1")["kept"]
    assert not send(api, "/signals")["kept"]
    activate(
        api.house, triggered("by_message", {"message": "paid"}), triggered("by_signal", {"signal": "paid"})
    )
    told = [send(api, path) for path in ("/messages", "/signals")]
    assert [(len(each["runs"]), each["kept"]) for each in told] == [(1, False), (1, False)]
    assert [len(runs_of(api.house, name)) for name in ("by_message", "by_signal")] == [1, 1]


def test_the_event_of_an_order_comes_in_as_an_order(api: ApiClient) -> None:
    refused = api.post("/events", json={"name": "task.created", "payload": {}})
    assert refused.status_code == 422
    assert "POST /v1/tasks" in refused.text
    assert entries(api) == 0


@pytest.mark.parametrize(
    "body",
    [
        {"payload": {"text": "x" * 262_145}},
        {"payload": {"text": "\x00"}},
        {"payload": {"number": 2**64}},
        {"payload": [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]},
        {"payload": {str(n): n for n in range(10_001)}},
        {"name": "no name"},
        {"id": "x" * 129},
        {"occurred_at": "2026-03-13T21:00:00"},
    ],
)
def test_an_event_that_cannot_be_kept_is_refused(api: ApiClient, body: dict[str, Any]) -> None:
    assert api.post("/events", json={"name": "paid"} | body).status_code == 422
    assert entries(api) == 0


def test_an_event_of_the_largest_size_is_taken(api: ApiClient) -> None:
    assert send(api, payload={"text": "x" * 262_000})["dispatched"]


def test_a_key_without_the_scope_tells_nothing(api: ApiClient) -> None:
    for path in ("/events", "/messages", "/signals"):
        assert api.post(path, "triage_agent", json={"name": "paid"}).status_code == 403


@contextmanager
def without_runs(api: ApiClient) -> Iterator[None]:
    """PostgreSQL goes away whenever a run is written."""
    away = (
        """CREATE FUNCTION away() RETURNS trigger LANGUAGE plpgsql AS
        'BEGIN RAISE EXCEPTION USING ERRCODE = ''57P01'', MESSAGE = ''away''; END'""",
        "CREATE TRIGGER away BEFORE INSERT ON runs EXECUTE FUNCTION away()",
    )
    for statements in (away, ("DROP TRIGGER away ON runs",)):
        with api.house.database.transaction() as work:
            for statement in statements:
                work.connection.execute(text(statement))
        if statements is away:
            yield


def test_what_was_kept_and_could_not_be_dispatched_at_once_is_begun_by_the_tick(api: ApiClient) -> None:
    activate(api.house, triggered("first", "paid"))
    with without_runs(api):
        assert send(api, id="E1")["dispatched"] is False
    assert runs_of(api.house, "first") == []
    api.house.tick.sweep()
    assert len(runs_of(api.house, "first")) == 1
    again = send(api, id="E1")
    assert (again["repeated"], len(again["runs"])) == (True, 1)


def test_a_signed_webhook_begins_a_run_once(api: ApiClient) -> None:
    activate(api.house, triggered("shop", HOOK))
    answers = [posted(api) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [202, 202]
    assert [answer.json()["repeated"] for answer in answers] == [False, True]
    assert given_to(api.house, "shop") == [{"order": "O1"}]


def test_a_webhook_without_a_trigger_is_unknown_and_one_of_a_retired_workflow_too(api: ApiClient) -> None:
    assert posted(api).status_code == 404
    activate(api.house, triggered("shop", HOOK))
    api.house.engine.catalogue.forget()
    assert posted(api).status_code == 202
    assert api.post("/workflows/shop/1.0/retire").status_code == 200
    assert posted(api).status_code == 404


@pytest.mark.parametrize(
    "changes",
    [
        {"webhook-id": "M2"},
        {"webhook-timestamp": "1"},
        {"webhook-timestamp": "9" * 400},
        {"webhook-signature": "v1,"},
        {"webhook-signature": "nothing like it"},
        {"webhook-signature": ""},
        {"webhook-id": ""},
    ],
)
def test_a_webhook_that_is_not_signed_as_it_must_be_is_refused(
    api: ApiClient, changes: dict[str, str]
) -> None:
    activate(api.house, triggered("shop", HOOK))
    body = b'{"order": "O1"}'
    signed = signed_headers([SECRET], "M1", int(time.time()), body)
    assert posted(api, body, headers={**signed, **changes}).status_code == 401
    others = signed_headers([new_secret()], "M1", int(time.time()), body)
    assert posted(api, body, headers=others).status_code == 401
    assert posted(api, b'{"order": "O2"}', headers=signed).status_code == 401
    assert entries(api) == 0


@pytest.mark.parametrize(
    ("body", "status"),
    [(b"no JSON", 422), (b'{"a": "\\u0000"}', 422), (b'"' + b"x" * 262_144 + b'"', 413), (b"\xff", 401)],
)
def test_the_body_of_a_webhook_is_json_of_a_bounded_size(api: ApiClient, body: bytes, status: int) -> None:
    activate(api.house, triggered("shop", HOOK))
    if status == 401:
        assert (
            posted(api, body, headers=signed_headers([SECRET], "M1", int(time.time()), b"{}")).status_code
            == 401
        )
    else:
        assert posted(api, body).status_code == status
    assert entries(api) == 0


def test_a_webhook_whose_secret_is_not_set_any_more_is_to_be_sent_again(api: ApiClient) -> None:
    with api.house.database.transaction() as work:
        body = triggered("shop", {"webhook": {"path": "shop", "secret": "TAKEN_AWAY"}})
        Definitions(work).register("shop", "1.0", body)
    assert posted(api).status_code == 503


@pytest.mark.parametrize(("secret", "hint"), [("SHPO", "; did you mean 'SHOP'?"), ("BANK", "")])
def test_a_webhook_that_names_a_secret_which_the_installation_does_not_have_is_a_fault(
    api: ApiClient, secret: str, hint: str
) -> None:
    body = triggered("shop", {"webhook": {"path": "shop", "secret": secret}}, key="${")
    checked = api.post("/workflows/check", json=body).json()
    told = {problem["pointer"]: problem["message"] for problem in checked["problems"]}
    assert told["/triggers/0/webhook/secret"] == (
        f"trigger 1: there is no secret '{secret}' among those of the API (UNPEND_WEBHOOK_SECRET_…){hint}"
    )
    assert "/key" in told
    assert api.post("/workflows", json=triggered("shop", HOOK)).status_code == 200


def test_a_webhook_signed_with_any_of_several_secrets_is_verified_for_five_minutes() -> None:
    body, old = b"{}", new_secret()
    headers = signed_headers([old, SECRET], "M1", 1_000_000, body)
    assert (
        verified_id(SECRET, headers, body, 1_000_299.0) == verified_id(old, headers, body, 999_701.0) == "M1"
    )
    for now in (1_000_301.0, 999_699.0):
        with pytest.raises(UnverifiedWebhook):
            verified_id(SECRET, headers, body, now)


def test_a_path_that_is_taken_cannot_be_activated(api: ApiClient) -> None:
    activate(api.house, triggered("shop", HOOK))
    assert api.post("/workflows", json=triggered("other", HOOK)).status_code == 200
    refused = api.post("/workflows/other/1.0/activate")
    assert refused.status_code == 409
    assert "that of workflow 'shop'" in refused.text
    assert api.post("/workflows", json=triggered("shop", HOOK, version="2.0")).status_code == 200
    assert api.post("/workflows/shop/2.0/activate").status_code == 200


def test_schedules_are_shown_with_their_next_time(api: ApiClient) -> None:
    line = {"schedule": {"cron": "30 6 * * *", "timezone": "Asia/Shanghai"}}
    assert api.post("/workflows", json=triggered("nightly", line)).status_code == 200
    assert api.get("/schedules").json() == {"schedules": []}
    api.post("/workflows/nightly/1.0/activate")
    (shown,) = api.get("/schedules").json()["schedules"]
    assert (shown["workflow"], shown["cron"], shown["queued"]) == ("nightly", "30 6 * * *", [])
    assert shown["next_due"].endswith("T22:30:00.000Z")


@pytest.mark.parametrize(
    ("trigger", "pointer"),
    [
        ({"schedule": {"cron": "never"}}, "/triggers/1/schedule/cron"),
        ({"event": "a", "if": "1 +"}, "/triggers/1/if"),
        ({"webhook": {"path": "shop"}}, "/triggers/1/webhook"),
    ],
)
def test_a_malformed_trigger_of_a_draft_is_answered_with_its_place(
    api: ApiClient, trigger: dict[str, Any], pointer: str
) -> None:
    body = triggered("nightly", "sound", trigger, trigger="also_sound")
    found = api.post("/workflows/check", json=body).json()
    assert [problem["pointer"] for problem in found["problems"]] == [pointer]


def test_events_of_many_callers_do_not_stand_in_each_other_s_way(api: ApiClient) -> None:
    activate(api.house, triggered("first", "paid"))
    calls = [api.prepare("POST", "/events", json={"name": "paid", "id": f"E{n}"}) for n in range(40)]
    answers = api.at_once(calls)
    assert {answer.status_code for answer in answers} == {202}
    with ThreadPoolExecutor(max_workers=2) as pool:
        list(pool.map(lambda _: InboxDispatcher(api.house.engine).round(), range(2)))
    assert len(runs_of(api.house, "first")) == 40
