"""Subscribers and deliveries over the API: for admins, and with the secret shown once."""

from typing import Any

import pytest

from schemas.outbound.event_types import MessageType
from storage.access.system_audit import SystemAudit
from storage.outbound.subscribers import Subscribers
from tests.support.api.client import ApiClient
from tests.support.outbound.webhook_sender import WebhookSenderAtWork, event
from tools.webhooks.signature import SECRET_PREFIX

URL = "https://orders.example.com/hooks"


def added(api: ApiClient, *events: str) -> dict[str, Any]:
    answer = api.post("/webhooks/subscribers", json={"url": URL, "events": list(events) or ["task.closed"]})
    assert answer.status_code == 201, answer.text
    body: dict[str, Any] = answer.json()
    return body


def made(api: ApiClient, number: int) -> str:
    """So many deliveries of one subscriber; the subscriber's id."""
    office = WebhookSenderAtWork(api.house.database)
    subscriber_id = office.subscribe(URL, MessageType.REVIEW_OPENED)
    office.tell(*(event(f"t{n}") for n in range(number)))
    office.feed(subscriber_id)
    return subscriber_id


def test_the_secret_is_shown_when_a_subscriber_is_added_and_never_again(api: ApiClient) -> None:
    body = added(api)
    assert body["secret"].startswith(SECRET_PREFIX)
    listed = api.get("/webhooks/subscribers")
    assert listed.json()["subscribers"] == [body["subscriber"]]
    assert body["secret"] not in listed.text


def test_the_answer_with_the_secret_is_not_to_be_kept(api: ApiClient) -> None:
    answer = api.post("/webhooks/subscribers", json={"url": URL, "events": ["task.closed"]})
    assert answer.headers["Cache-Control"] == "no-store"


def test_an_event_named_twice_is_chosen_once(api: ApiClient) -> None:
    body = added(api, "task.closed", "task.waiting", "task.closed")
    assert body["subscriber"]["events"] == ["task.closed", "task.waiting"]


@pytest.mark.parametrize(
    "url", ["http://169.254.169.254/", "ftp://x/", "https://u:p@x/", "https://x/\x00", "", "x" * 5000]
)
def test_an_address_webhooks_may_not_go_to_is_refused_by_its_field(api: ApiClient, url: str) -> None:
    answer = api.post("/webhooks/subscribers", json={"url": url, "events": ["task.closed"]})
    assert answer.status_code == 422
    assert answer.json()["error"]["details"]["fields"][0]["field"] == "url"


def test_a_subscriber_that_chooses_nothing_is_refused(api: ApiClient) -> None:
    answer = api.post("/webhooks/subscribers", json={"url": URL, "events": []})
    assert answer.status_code == 422


def test_a_removed_subscriber_is_gone_with_its_log(api: ApiClient) -> None:
    subscriber_id = made(api, 2)
    assert api.call("DELETE", f"/webhooks/subscribers/{subscriber_id}").status_code == 200
    assert api.get("/webhooks/subscribers").json() == {"subscribers": []}
    assert api.get("/webhooks/deliveries").json()["deliveries"] == []
    assert api.call("DELETE", f"/webhooks/subscribers/{subscriber_id}").status_code == 404


def test_what_a_subscriber_is_told_is_chosen_anew_under_its_secret(api: ApiClient) -> None:
    body = added(api, "task.closed")
    path = f"/webhooks/subscribers/{body['subscriber']['subscriber_id']}"
    answer = api.call("PATCH", path, json={"events": ["task.waiting", "task.rejected", "task.waiting"]})
    assert answer.status_code == 200
    assert answer.json()["subscriber"] == body["subscriber"] | {"events": ["task.waiting", "task.rejected"]}
    assert "secret" not in answer.json()
    with api.house.database.transaction() as work:
        kept = Subscribers(work).secrets(body["subscriber"]["subscriber_id"])
    assert kept is not None
    assert kept.open() == (body["secret"],)


def test_from_a_new_choice_on_a_subscriber_is_told_by_it(api: ApiClient) -> None:
    office = WebhookSenderAtWork(api.house.database)
    subscriber_id = office.subscribe(URL, MessageType.CLOSED)
    office.tell(event("a"), event("b", "task_closed"))
    office.feed(subscriber_id)
    api.call("PATCH", f"/webhooks/subscribers/{subscriber_id}", json={"events": ["task.review_opened"]})
    office.tell(event("c"), event("d", "task_closed"))
    office.feed(subscriber_id)
    assert {delivery.task_id for delivery in office.log()} == {"b", "c"}


@pytest.mark.parametrize("body", [{"events": []}, {}, {"events": ["task.none"]}, {"url": URL}])
def test_a_choice_of_nothing_is_refused(api: ApiClient, body: dict[str, Any]) -> None:
    path = f"/webhooks/subscribers/{added(api)['subscriber']['subscriber_id']}"
    assert api.call("PATCH", path, json=body).status_code == 422


def test_nobody_can_choose_for_a_subscriber_that_is_not_there(api: ApiClient) -> None:
    answer = api.call("PATCH", "/webhooks/subscribers/sub_404", json={"events": ["task.closed"]})
    assert answer.status_code == 404


def test_pages_together_are_the_whole_log_once(api: ApiClient) -> None:
    made(api, 7)
    seen: list[str] = []
    cursor: str | None = None
    while True:
        page = api.get("/webhooks/deliveries", params={"limit": 3} | ({"cursor": cursor} if cursor else {}))
        seen += [delivery["task_id"] for delivery in page.json()["deliveries"]]
        cursor = page.json()["next_cursor"]
        if cursor is None:
            break
    assert sorted(seen) == [f"t{n}" for n in range(7)]


def test_a_cursor_of_nobodys_making_is_refused(api: ApiClient) -> None:
    assert api.get("/webhooks/deliveries", params={"cursor": "nonsense"}).status_code == 422


def test_the_log_is_filtered(api: ApiClient) -> None:
    subscriber_id = made(api, 3)
    WebhookSenderAtWork(api.house.database).change(
        "UPDATE deliveries SET state = 'given_up', last_error = 'answered 500' WHERE task_id = 't1'"
    )
    for wanted, number in (
        ({"subscriber_id": subscriber_id}, 3),
        ({"subscriber_id": "sub_other"}, 0),
        ({"task_id": "t1"}, 1),
        ({"state": "given_up"}, 1),
        ({"failed": "true"}, 1),
    ):
        found = api.get("/webhooks/deliveries", params=wanted).json()["deliveries"]
        assert len(found) == number, wanted


def test_a_message_that_was_given_up_is_sent_again_when_asked_for(api: ApiClient) -> None:
    made(api, 1)
    office = WebhookSenderAtWork(api.house.database)
    office.change("UPDATE deliveries SET state = 'given_up', ended_at = now(), tries = 9")
    delivery_id = office.log()[0].delivery_id
    answer = api.post(f"/webhooks/deliveries/{delivery_id}/replay")
    assert answer.json() == {"success": True, "delivery_id": delivery_id, "outcome": "again"}
    (delivery,) = office.log()
    assert (delivery.state, delivery.tries, delivery.ended_at) == ("waiting", 0, None)


def test_nothing_is_sent_again_to_one_that_is_gone(api: ApiClient) -> None:
    made(api, 1)
    office = WebhookSenderAtWork(api.house.database)
    office.change("UPDATE subscribers SET active = false")
    answer = api.post(f"/webhooks/deliveries/{office.log()[0].delivery_id}/replay")
    assert answer.status_code == 409


def test_an_unknown_message_cannot_be_sent_again(api: ApiClient) -> None:
    assert api.post("/webhooks/deliveries/msg_0/replay").status_code == 404


@pytest.mark.parametrize("agent", ["operator", "orchestrator"])
def test_who_is_no_admin_sees_none_of_it(api: ApiClient, agent: str) -> None:
    assert api.get("/webhooks/subscribers", agent).status_code == 403
    assert api.get("/webhooks/deliveries", agent).status_code == 403


def test_what_was_done_to_subscribers_is_kept(api: ApiClient) -> None:
    body = added(api)
    with api.house.database.transaction() as work:
        (entry,) = SystemAudit(work).recent(what="subscriber_added")
    assert entry.actor == "admin"
    assert entry.detail["subscriber_id"] == body["subscriber"]["subscriber_id"]
    assert body["secret"] not in str(entry.detail)
