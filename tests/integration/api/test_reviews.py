"""People see what waits for them, and decide it once (SPEC.md §6)."""

from typing import Any

import pytest

from storage.orders.order_view import OrderView
from tests.support.api.client import ApiClient
from tests.support.factories import answered, payload

START = "/agents/orchestrator/tasks/start"
UNCLEAR = "喂？听不清，你说什么"


def asked_about(api: ApiClient, words: str = UNCLEAR, **metadata: object) -> dict[str, Any]:
    """The review of an order whose customer's words were not understood."""
    body = payload(answered(words), metadata=metadata)
    api.post(START, json=body)
    api.house.run()
    (review,) = api.get("/reviews", params={"task_id": body["task_id"]}).json()["reviews"]
    found: dict[str, Any] = review
    return found


def decide(api: ApiClient, review: dict[str, Any], agent: str = "operator", **decision: Any) -> Any:
    return api.post(f"/reviews/{review['review_id']}/decide", agent, json=decision)


def test_an_open_review_says_what_is_asked_and_what_it_accepts(api: ApiClient) -> None:
    review = asked_about(api)
    assert review["state"] == "open"
    assert review["question"]
    assert set(review["decisions"]) == {"classify", "recontact", "close"}
    assert review["decided_at"] is review["decided_by"] is review["decision"] is None
    assert api.get(f"/reviews/{review['review_id']}", "operator").json() == review | {"words": UNCLEAR}


def looks(api: ApiClient, task_id: str) -> list[tuple[str, str]]:
    """Who looked at the customer's words, and for which review."""
    with api.house.database.transaction() as work:
        return [
            (line["agent_id"], line["metadata"]["review_id"])
            for line in OrderView(work).audit_lines(task_id)
            if line["event_type"] == "personal_data_revealed"
        ]


def test_who_may_decide_hears_the_customer_and_every_look_is_on_record(api: ApiClient) -> None:
    review = asked_about(api)
    for _ in range(2):
        assert api.get(f"/reviews/{review['review_id']}", "operator").json()["words"] == UNCLEAR
    assert looks(api, review["task_id"]) == [("operator", review["review_id"])] * 2


def test_who_may_not_decide_hears_nothing_and_leaves_no_line(api: ApiClient) -> None:
    review = asked_about(api)
    assert api.get(f"/reviews/{review['review_id']}", "audit_agent").json()["words"] is None
    listed = api.get("/reviews", "operator").json()["reviews"]
    assert all("words" not in one for one in listed)
    assert looks(api, review["task_id"]) == []


def test_numbers_in_the_words_to_decide_on_are_masked_however_they_were_said(api: ApiClient) -> None:
    own = "13964805678"
    review = asked_about(api, f"喂？听不清，打 {own} 或者一三九六四八〇五六七八，或 021-58881234", phone=own)
    words = api.get(f"/reviews/{review['review_id']}", "operator").json()["words"]
    assert words == "喂？听不清，打 139****5678 或者139****5678，或 021****1234"


def test_once_a_review_is_decided_its_words_are_hidden_again(api: ApiClient) -> None:
    review = asked_about(api)
    decide(api, review, decision="close", reason="客户已处理")
    assert api.get(f"/reviews/{review['review_id']}", "operator").json()["words"] is None
    assert looks(api, review["task_id"]) == []


def test_reviews_are_chosen_by_state_and_bounded(api: ApiClient) -> None:
    review = asked_about(api)
    asked_about(api)
    decide(api, review, decision="close", reason="客户已处理")
    states = {
        state: len(api.get("/reviews", params={"state": state}).json()["reviews"])
        for state in ("open", "decided", "cancelled", "all")
    }
    assert states == {"open": 1, "decided": 1, "cancelled": 0, "all": 2}
    assert len(api.get("/reviews", params={"state": "all", "limit": 1}).json()["reviews"]) == 1


def test_a_decision_carries_the_order_on(api: ApiClient) -> None:
    review = asked_about(api)
    answer = decide(api, review, decision="classify", intent_level2="可上门", reason="回听录音")
    assert answer.status_code == 200
    assert answer.json()["success"] is True
    assert answer.json()["outcome"] == "applied"
    assert answer.json()["review"]["decided_by"] == "operator"
    api.house.run()
    assert api.house.order(review["task_id"]).status == "closed"


def test_a_follow_up_set_by_a_person_is_the_one_that_is_waited_for(api: ApiClient) -> None:
    review = asked_about(api)
    moment = "2031-03-17T10:00:00+08:00"
    decide(api, review, decision="classify", intent_level2="配件未到", followup_at=moment)
    api.house.run()
    order = api.house.order(review["task_id"])
    assert order.status == "waiting_followup"
    assert order.next_contact_time is not None
    assert order.next_contact_time.isoformat() == "2031-03-17T02:00:00+00:00"


def test_the_same_decision_again_is_answered_and_not_made_twice(api: ApiClient) -> None:
    review = asked_about(api)
    decide(api, review, decision="close", reason="客户已处理")
    again = decide(api, review, decision="close", reason="客户已处理")
    assert (again.status_code, again.json()["outcome"]) == (200, "repeated")
    assert api.house.events(review["task_id"]).count("review.close") == 1


def test_another_decision_afterwards_is_a_conflict(api: ApiClient) -> None:
    review = asked_about(api)
    decide(api, review, decision="close", reason="客户已处理")
    answer = decide(api, review, decision="classify", intent_level2="可上门")
    assert answer.status_code == 409
    assert answer.json()["error"]["details"] == {
        "review_id": review["review_id"],
        "review_state": "decided",
        "decision": "close",
        "decided_by": "operator",
    }


def test_of_many_decisions_at_once_one_is_made(api: ApiClient) -> None:
    review = asked_about(api)
    path = f"/reviews/{review['review_id']}/decide"
    bodies = [{"decision": "close", "reason": "已处理"}, {"decision": "classify", "intent_level2": "可上门"}]
    answers = api.at_once([api.prepare("POST", path, json=body) for body in bodies])
    assert sorted(answer.status_code for answer in answers) == [200, 409]


def test_a_decision_the_review_does_not_offer_names_those_it_does(api: ApiClient) -> None:
    answer = decide(api, asked_about(api), decision="retry")
    assert answer.status_code == 422
    (fault,) = answer.json()["error"]["details"]["fields"]
    assert fault["field"] == "decision"
    assert "recontact" in fault["message"]


@pytest.mark.parametrize(
    "decision",
    [
        {"decision": "classify"},
        {"decision": "classify", "intent_level2": "需人工"},
        {"decision": "close"},
        {"decision": "close", "reason": "  "},
        {"decision": "close", "reason": "a\x00b"},
        {"decision": "recontact", "followup_at": "9999-12-31T23:59:59-12:00"},
        {"decision": "recontact", "followup_at": "2026-03-16T10:00:00"},
        {"decision": "recontact", "who": "me"},
        {"decision": "recontact", "followup_days": 3},
        {"decision": "close", "reason": "x", "followup_at": "2031-03-16T10:00:00Z"},
        {"decision": "classify", "intent_level2": "不再需要", "followup_days": 3},
        {
            "decision": "classify",
            "intent_level2": "不再需要",
            "followup_rule": {"cron": "0 10 * * 1", "until": {"count": 2}},
        },
        {"decision": "classify", "intent_level2": "配件未到", "visit_at": "2031-03-16T10:00:00Z"},
    ],
)
def test_a_decision_that_cannot_be_carried_out_is_refused_and_the_review_stays_open(
    api: ApiClient, decision: dict[str, Any]
) -> None:
    review = asked_about(api)
    assert decide(api, review, **decision).status_code == 422
    assert api.get(f"/reviews/{review['review_id']}").json()["state"] == "open"


def test_a_decision_the_orders_state_does_not_allow_is_a_conflict_with_the_ways_out(api: ApiClient) -> None:
    body = payload(metadata={"phone": None})
    api.post(START, json=body)
    (review,) = api.get("/reviews", params={"task_id": body["task_id"]}).json()["reviews"]
    answer = decide(api, review, decision="classify", intent_level2="可上门")
    assert answer.status_code == 409
    details = answer.json()["error"]["details"]
    assert details["current_state"] == "pending"
    assert {way["event"] for way in details["allowed_transitions"]} >= {"task.start", "review.close"}
    assert api.get(f"/reviews/{review['review_id']}").json()["state"] == "open"


def test_an_unknown_review_is_not_found(api: ApiClient) -> None:
    assert api.get("/reviews/REV404").status_code == 404
    assert api.post("/reviews/REV404/decide", json={"decision": "recontact"}).status_code == 404
