"""One person at a question: taken, given back, void after half an hour (SPEC.md §6)."""

from typing import Any

import pytest
from sqlalchemy import text

from schemas.access.roles import Role
from storage.access.keys import Keys
from storage.orders.order_view import OrderView
from storage.people.reviews import CLAIM_MINUTES
from tests.support.api.client import ApiClient, key_of, register_person
from tests.support.factories import payload

START = "/agents/orchestrator/tasks/start"
WANG, LI = "wangfang", "lilei"


@pytest.fixture
def api(api: ApiClient) -> ApiClient:
    """The API with two reviewers beside the agents."""
    for login in (WANG, LI):
        register_person(api.house, login, Role.REVIEWER)
    return api


def asked_about(api: ApiClient) -> dict[str, Any]:
    """The review of an order that cannot be called."""
    body = payload(metadata={"phone": None})
    api.post(START, json=body)
    (review,) = api.get("/reviews", params={"task_id": body["task_id"]}).json()["reviews"]
    found: dict[str, Any] = review
    return found


def act(api: ApiClient, review: dict[str, Any], verb: str, agent: str = "operator", **body: Any) -> Any:
    return api.post(f"/reviews/{review['review_id']}/{verb}", agent, json=body)


def found(api: ApiClient, review: dict[str, Any]) -> dict[str, Any]:
    answer: dict[str, Any] = api.get(f"/reviews/{review['review_id']}").json()
    # What the customer said is shown here alone (test_reviews.py).
    del answer["words"]
    return answer


def let_pass(api: ApiClient, review: dict[str, Any], minutes: float) -> None:
    """Let a claim be so much older on the database's clock."""
    with api.house.database.transaction() as work:
        work.connection.execute(
            text(
                "UPDATE reviews SET claimed_at = claimed_at - make_interval(secs => :s), "
                "claimed_until = claimed_until - make_interval(secs => :s) WHERE review_id = :r"
            ),
            {"s": minutes * 60, "r": review["review_id"]},
        )


def history(api: ApiClient, review: dict[str, Any]) -> list[tuple[str, str]]:
    """What the order's audit log says of its review: what, by whom."""
    with api.house.database.transaction() as work:
        lines = OrderView(work).audit_lines(review["task_id"])
    return [(line["event_type"], line["agent_id"]) for line in lines if "review" in line["event_type"]]


def test_a_claim_says_who_has_it_since_when(api: ApiClient) -> None:
    review = asked_about(api)
    assert review["claimed_by"] is review["claimed_at"] is None
    answer = act(api, review, "claim", WANG)
    assert (answer.status_code, answer.json()["outcome"]) == (200, "applied")
    shown = found(api, review)
    assert answer.json()["review"] == shown
    assert shown["claimed_by"] == WANG
    assert shown["claimed_at"].endswith("Z")


def test_who_has_it_is_the_owner_of_the_key_whatever_name_stands_beside_it(api: ApiClient) -> None:
    review = asked_about(api)
    assert act(api, review, "claim", by="王芳").json()["review"]["claimed_by"] == "operator"


def test_a_second_person_is_told_who_has_it(api: ApiClient) -> None:
    review = asked_about(api)
    act(api, review, "claim", WANG)
    answer = act(api, review, "claim", LI)
    assert answer.status_code == 409
    assert WANG in answer.json()["error"]["message"]
    shown = found(api, review)
    assert answer.json()["error"]["details"] == {
        "review_id": review["review_id"],
        "review_state": "open",
        "claimed_by": WANG,
        "claimed_at": shown["claimed_at"],
    }


def test_the_same_person_again_renews_the_claim(api: ApiClient) -> None:
    review = asked_about(api)
    act(api, review, "claim", WANG)
    let_pass(api, review, CLAIM_MINUTES - 1)
    again = act(api, review, "claim", WANG)
    assert (again.status_code, again.json()["outcome"]) == (200, "repeated")
    let_pass(api, review, CLAIM_MINUTES - 1)
    assert found(api, review)["claimed_by"] == WANG
    assert history(api, review).count(("review_claimed", WANG)) == 1


def test_of_many_who_claim_at_once_one_has_it(api: ApiClient) -> None:
    review = asked_about(api)
    path = f"/reviews/{review['review_id']}/claim"
    for n in range(6):
        register_person(api.house, f"person{n}", Role.REVIEWER)
    answers = api.at_once([api.prepare("POST", path, f"person{n}", json={}) for n in range(6)])
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409, 409, 409]


def test_a_void_claim_is_as_if_it_had_never_been(api: ApiClient) -> None:
    review = asked_about(api)
    act(api, review, "claim", WANG)
    let_pass(api, review, CLAIM_MINUTES)
    assert found(api, review)["claimed_by"] is None
    assert act(api, review, "claim", LI).json()["outcome"] == "applied"
    assert history(api, review)[-2:] == [("review_claimed", WANG), ("review_claimed", LI)]


def test_what_was_given_back_is_anyones(api: ApiClient) -> None:
    review = asked_about(api)
    act(api, review, "claim", WANG)
    answer = act(api, review, "release", WANG)
    assert (answer.status_code, answer.json()["outcome"]) == (200, "applied")
    assert found(api, review) == review
    assert act(api, review, "claim", LI).status_code == 200


def test_giving_back_what_nobody_has_is_fine(api: ApiClient) -> None:
    review = asked_about(api)
    answer = act(api, review, "release", WANG)
    assert (answer.status_code, answer.json()["outcome"]) == (200, "repeated")


def test_only_who_took_it_gives_it_back(api: ApiClient) -> None:
    review = asked_about(api)
    act(api, review, "claim", WANG)
    assert act(api, review, "release", LI).status_code == 409
    assert found(api, review)["claimed_by"] == WANG


def test_who_may_gives_back_what_another_took(api: ApiClient) -> None:
    review = asked_about(api)
    act(api, review, "claim", WANG)
    assert act(api, review, "release", "admin").status_code == 200
    assert found(api, review)["claimed_by"] is None
    assert history(api, review)[-1] == ("review_released", "admin")


def test_another_than_who_took_it_cannot_decide_it(api: ApiClient) -> None:
    review = asked_about(api)
    act(api, review, "claim", WANG)
    answer = act(api, review, "decide", LI, decision="close", reason="客户已处理")
    assert answer.status_code == 409
    assert answer.json()["error"]["details"]["claimed_by"] == WANG
    assert found(api, review)["state"] == "open"


def test_who_took_it_decides_it_by_name(api: ApiClient) -> None:
    review = asked_about(api)
    act(api, review, "claim", WANG)
    answer = act(api, review, "decide", WANG, decision="close", reason="客户已处理")
    assert answer.status_code == 200
    decided = found(api, review)
    assert (decided["decided_by"], decided["claimed_by"]) == (WANG, None)
    assert ("review_decided", WANG) in history(api, review)


def test_anyone_decides_once_the_claim_is_void(api: ApiClient) -> None:
    review = asked_about(api)
    act(api, review, "claim", WANG)
    let_pass(api, review, CLAIM_MINUTES)
    assert act(api, review, "decide", LI, decision="close", reason="客户已处理").status_code == 200


def test_the_same_decision_again_is_repeated_whoever_sends_it(api: ApiClient) -> None:
    review = asked_about(api)
    act(api, review, "claim", WANG)
    act(api, review, "decide", WANG, decision="close", reason="客户已处理")
    again = act(api, review, "decide", LI, decision="close", reason="客户已处理")
    assert (again.status_code, again.json()["outcome"]) == (200, "repeated")


@pytest.mark.parametrize("verb", ["claim", "release"])
def test_what_is_decided_is_nobodys_any_more(api: ApiClient, verb: str) -> None:
    review = asked_about(api)
    act(api, review, "decide", decision="close", reason="客户已处理")
    answer = act(api, review, verb)
    assert answer.status_code == 409
    assert answer.json()["error"]["details"]["review_state"] == "decided"


def test_of_a_claim_and_anothers_decision_at_once_never_both_are_made_in_that_order(api: ApiClient) -> None:
    for _ in range(5):
        review = asked_about(api)
        path = f"/reviews/{review['review_id']}"
        claimed, decided = api.at_once(
            [
                api.prepare("POST", f"{path}/claim", WANG, json={}),
                api.prepare("POST", f"{path}/decide", LI, json={"decision": "close", "reason": "x"}),
            ]
        )
        assert sorted([claimed.status_code, decided.status_code]) == [200, 409]


def test_reviews_are_chosen_by_whether_somebody_is_at_them(api: ApiClient) -> None:
    free, taken, void = (asked_about(api) for _ in range(3))
    act(api, taken, "claim")
    act(api, void, "claim")
    let_pass(api, void, CLAIM_MINUTES)
    by_claim = {
        claimed: {r["review_id"] for r in api.get("/reviews", params={"claimed": claimed}).json()["reviews"]}
        for claimed in ("true", "false")
    }
    assert by_claim == {"true": {taken["review_id"]}, "false": {free["review_id"], void["review_id"]}}


def test_reviews_are_chosen_by_why_they_are_asked(api: ApiClient) -> None:
    review = asked_about(api)
    same = api.get("/reviews", params={"reason": review["reason"]}).json()["reviews"]
    other = api.get("/reviews", params={"reason": "something_else"}).json()["reviews"]
    assert ([r["review_id"] for r in same], other) == ([review["review_id"]], [])


def test_pages_together_are_the_list_exactly_once(api: ApiClient) -> None:
    asked = [asked_about(api)["review_id"] for _ in range(5)]
    pages: list[list[str]] = []
    wanted: dict[str, Any] = {"limit": 2}
    while wanted.get("cursor", "first"):
        page = api.get("/reviews", params=wanted).json()
        pages.append([review["review_id"] for review in page["reviews"]])
        wanted["cursor"] = page["next_cursor"]
    assert [len(page) for page in pages] == [2, 2, 1]
    assert [review_id for page in pages for review_id in page] == asked


@pytest.mark.parametrize("wanted", [{"cursor": "broken"}, {"claimed": "maybe"}, {"reason": "a\x00b"}])
def test_a_list_that_cannot_be_asked_for_is_refused(api: ApiClient, wanted: dict[str, str]) -> None:
    assert api.get("/reviews", params=wanted).status_code == 422


@pytest.mark.parametrize("body", [{"by": ""}, {"by": "x" * 33}, {"by": "a\x00b"}, {"who": "me"}])
def test_a_name_that_history_cannot_keep_is_refused(api: ApiClient, body: dict[str, str]) -> None:
    review = asked_about(api)
    assert act(api, review, "claim", **body).status_code == 422
    assert found(api, review)["claimed_by"] is None


def test_naming_the_person_who_took_it_decides_nothing_for_another_key(api: ApiClient) -> None:
    review = asked_about(api)
    act(api, review, "claim", WANG)
    answer = act(api, review, "decide", "operator", decision="close", reason="客户已处理", by=WANG)
    assert answer.status_code == 409
    assert found(api, review)["state"] == "open"


def test_the_audit_log_names_the_key_and_beside_it_the_label(api: ApiClient) -> None:
    review = asked_about(api)
    act(api, review, "decide", "operator", decision="close", reason="客户已处理", by="王芳")
    with api.house.database.transaction() as work:
        key = Keys(work).find(key_of("operator"))
        lines = OrderView(work).audit_lines(review["task_id"])
    assert key is not None
    (line,) = [line for line in lines if line["event_type"] == "review_decided"]
    assert (line["agent_id"], line["key_id"], line["label"]) == ("operator", key.key_id, "王芳")


def test_an_unknown_review_is_not_found(api: ApiClient) -> None:
    for verb in ("claim", "release"):
        assert act(api, {"review_id": "REV404"}, verb).status_code == 404


def test_an_agent_without_the_scope_claims_nothing(api: ApiClient) -> None:
    review = asked_about(api)
    assert act(api, review, "claim", "triage_agent").status_code == 403
    assert found(api, review)["claimed_by"] is None
