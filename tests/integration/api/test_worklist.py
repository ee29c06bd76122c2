"""The worklist: one review after another, in their order; two people never meet (CONSOLE.md §4)."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest

from schemas.access.roles import Role
from storage.people.answers import Respondent
from storage.people.reviews import CLAIM_MINUTES, TAKE_MINUTES
from tasks.people.claims import take_next
from tests.support.api.client import ApiClient, register_person
from tests.support.factories import payload
from tests.support.probe import Probe

START = "/agents/orchestrator/tasks/start"
WANG, LI, ZHAO = "wangfang", "lilei", "zhaomin"


@pytest.fixture
def api(api: ApiClient) -> ApiClient:
    """The API with two reviewers and their manager."""
    for login in (WANG, LI):
        register_person(api.house, login, Role.REVIEWER)
    register_person(api.house, ZHAO, Role.MANAGER)
    return api


def asked_about(api: ApiClient, priority: int = 1) -> str:
    """The review of an order that cannot be called."""
    body = payload(metadata={"phone": None}, priority=priority)
    assert api.post(START, json=body).status_code < 300
    (review,) = api.get("/reviews", params={"task_id": body["task_id"]}).json()["reviews"]
    review_id: str = review["review_id"]
    return review_id


def act(api: ApiClient, review_id: str, verb: str, agent: str = WANG) -> Any:
    return api.post(f"/reviews/{review_id}/{verb}", agent, json={})


def holder(api: ApiClient, review_id: str) -> Any:
    return api.get(f"/reviews/{review_id}").json()["claimed_by"]


def change(api: ApiClient, review_id: str, what: str) -> None:
    Probe(api.house.database).write(f"UPDATE reviews SET {what} WHERE review_id = %s", review_id)


def let_pass(api: ApiClient, review_id: str, minutes: float) -> None:
    """Let a claim be so much older on the database's clock."""
    change(api, review_id, f"claimed_until = claimed_until - make_interval(secs => {minutes * 60})")


def drained(api: ApiClient, agent: str = WANG) -> list[str]:
    """What one person gets, one after another."""
    got = []
    while review := api.post("/reviews/next", agent, json={}).json()["review"]:
        got.append(review["review_id"])
    return got


def test_two_reviewers_drain_a_hundred_reviews_and_meet_none_twice_and_skip_none(api: ApiClient) -> None:
    asked = {asked_about(api) for _ in range(100)}
    together = Barrier(2, timeout=60)

    def drain(name: str) -> list[str]:
        by = Respondent(name=name, roles=frozenset({Role.REVIEWER.value}), has_login=True)
        got = []
        together.wait()
        while review := take_next(api.house.database, by=by):
            assert review.claimed_by == name
            got.append(review.review_id)
        return got

    with ThreadPoolExecutor(2) as pool:
        wang, li = pool.map(drain, (WANG, LI))
    assert len(wang) + len(li) == 100
    assert {*wang, *li} == asked


def test_the_order_is_flags_then_what_is_nearly_overdue_then_priority_then_age(api: ApiClient) -> None:
    old, urgent, nearly, overdue, flagged, young = (
        asked_about(api, priority) for priority in (1, 5, 1, 1, 1, 1)
    )
    change(api, nearly, "deadline_at = business_now() + interval '29 minutes'")
    change(api, overdue, "deadline_at = business_now() - interval '1 minute'")
    change(api, flagged, "flagged = true")
    assert drained(api) == [flagged, nearly, overdue, urgent, old, young]


def test_what_has_waited_long_goes_before_what_is_more_urgent_and_new(api: ApiClient) -> None:
    old, urgent = asked_about(api), asked_about(api, 3)
    change(api, old, "rank_at = rank_at - interval '61 minutes'")
    assert drained(api) == [old, urgent]


def test_what_is_anothers_or_for_another_role_is_no_next_one(api: ApiClient) -> None:
    taken, for_managers, free = (asked_about(api) for _ in range(3))
    act(api, taken, "take", LI)
    change(api, for_managers, "role = 'manager'")
    assert drained(api) == [free]
    assert drained(api, ZHAO) == [for_managers]


def test_taking_the_next_one_is_on_record(api: ApiClient) -> None:
    review_id = asked_about(api)
    assert drained(api) == [review_id]
    lines = Probe(api.house.database).rows(
        "SELECT agent_id, metadata ->> 'review_id' FROM audit_logs WHERE event_type = 'review_claimed'"
    )
    assert [tuple(line) for line in lines] == [(WANG, review_id)]


def test_an_opened_review_is_free_again_after_five_minutes_unless_it_is_asked_for_again(
    api: ApiClient,
) -> None:
    review_id = asked_about(api)
    assert act(api, review_id, "take").json()["outcome"] == "applied"
    let_pass(api, review_id, TAKE_MINUTES - 1)
    assert act(api, review_id, "take").json()["outcome"] == "repeated"
    let_pass(api, review_id, TAKE_MINUTES - 1)
    assert holder(api, review_id) == WANG
    let_pass(api, review_id, 1)
    assert holder(api, review_id) is None


def test_what_is_kept_for_thirty_minutes_stays_kept_when_it_is_looked_at_again(api: ApiClient) -> None:
    review_id = asked_about(api)
    act(api, review_id, "claim")
    act(api, review_id, "take")
    let_pass(api, review_id, CLAIM_MINUTES - 1)
    assert holder(api, review_id) == WANG


def test_leaving_frees_a_review_for_the_next_person(api: ApiClient) -> None:
    review_id = asked_about(api)
    act(api, review_id, "take")
    act(api, review_id, "release")
    assert drained(api, LI) == [review_id]


def test_a_manager_takes_over_and_a_reviewer_does_not(api: ApiClient) -> None:
    review_id = asked_about(api)
    act(api, review_id, "take")
    assert act(api, review_id, "take-over", LI).status_code == 403
    assert act(api, review_id, "take-over", ZHAO).status_code == 200
    assert holder(api, review_id) == ZHAO
    line = Probe(api.house.database).value(
        "SELECT metadata ->> 'taken_from' FROM audit_logs WHERE event_type = 'review_claimed' AND agent_id = %s",
        ZHAO,
    )
    assert line == WANG
