"""A cancellation is taken back while it waits, and not after it was carried out."""

import pytest

from storage.orders.order_view import OrderView
from storage.people.reviews import Review, Reviews
from tests.support.api.client import ApiClient
from tests.support.factories import CANCEL, READY, answered
from tests.support.orders.signals import order_run
from tests.support.probe import Probe

REASON = {"reason": "客户来电，仍要维修"}


def cancelling(api: ApiClient, **changes: object) -> str:
    """An order whose cancellation waits out its window."""
    task_id = order_run(api.house, answered(CANCEL), **changes)
    (step,) = [step for step in api.house.steps(task_id) if step["node"] == "step7_execute"]
    assert step["state"] == "scheduled"
    return task_id


def reviews(api: ApiClient, task_id: str) -> list[Review]:
    with api.house.database.transaction() as work:
        return Reviews(work).list(state=None, task_id=task_id)


def test_a_cancellation_taken_back_is_for_a_person(api: ApiClient) -> None:
    task_id = cancelling(api)
    answer = api.post(f"/tasks/{task_id}/undo", "operator", json=REASON)
    assert answer.status_code == 200
    (review,) = reviews(api, task_id)
    assert answer.json() == {
        "success": True,
        "task_id": task_id,
        "outcome": "applied",
        "review_id": review.review_id,
    }
    assert (review.reason, review.state) == ("undo_requested", "open")
    assert REASON["reason"] in review.question
    api.house.run_to_the_end()
    assert api.house.order(task_id).status == "classified"
    assert "action.execute" not in api.house.events(task_id)


def test_taken_back_twice_it_is_one_question(api: ApiClient) -> None:
    task_id = cancelling(api)
    first = api.post(f"/tasks/{task_id}/undo", json=REASON).json()
    again = api.post(f"/tasks/{task_id}/undo", json=REASON)
    assert again.json() == first | {"outcome": "repeated"}
    assert len(reviews(api, task_id)) == 1


def test_the_person_may_cancel_after_all(api: ApiClient) -> None:
    task_id = cancelling(api)
    review = api.post(f"/tasks/{task_id}/undo", json=REASON).json()["review_id"]
    decision = {"decision": "classify", "intent_level2": "不再需要"}
    assert api.post(f"/reviews/{review}/decide", json=decision).status_code == 200
    api.house.run_to_the_end()
    assert api.house.order(task_id).finish_reason == "cancelled_by_customer"


def test_a_cancellation_that_a_person_decided_can_be_taken_back_too(api: ApiClient) -> None:
    task_id = order_run(api.house, answered("喂？听不清，你说什么"))
    (review,) = reviews(api, task_id)
    decision = {"decision": "classify", "intent_level2": "不再需要"}
    api.post(f"/reviews/{review.review_id}/decide", json=decision)
    api.house.run()
    assert api.house.order(task_id).status == "classified"
    answer = api.post(f"/tasks/{task_id}/undo", json=REASON)
    assert (answer.status_code, answer.json()["outcome"]) == (200, "applied")
    api.house.run_to_the_end()
    assert "action.execute" not in api.house.events(task_id)


def test_what_was_carried_out_cannot_be_taken_back(api: ApiClient) -> None:
    task_id = cancelling(api)
    api.house.run_to_the_end()
    answer = api.post(f"/tasks/{task_id}/undo", json=REASON)
    assert answer.status_code == 409
    assert answer.json()["error"]["details"]["current_state"] == "closed"
    assert reviews(api, task_id) == []


def test_an_order_that_is_not_to_be_cancelled_has_nothing_to_take_back(api: ApiClient) -> None:
    task_id = order_run(api.house, answered("配件还没到，等配件到了再说"))
    assert api.post(f"/tasks/{task_id}/undo", json=REASON).status_code == 409
    assert api.house.order(task_id).status == "waiting_followup"


def test_one_that_is_being_carried_out_at_this_moment_goes_on(api: ApiClient) -> None:
    task_id = cancelling(api)
    house = api.house
    assert house.leap()
    house.tick.sweep()
    (message,) = house.wire.messages
    action = house.engine.registry.get(message.action)
    batch = house.engine.claim(action, message.keys, "lease_of_the_test")
    assert batch is not None
    answer = api.post(f"/tasks/{task_id}/undo", json=REASON)
    recorded = house.engine.record(batch, house.engine.work(action, batch))
    house.engine.publish(recorded.messages)
    house.engine._keeper.let_go("lease_of_the_test")
    assert answer.status_code == 409
    assert "at this moment" in answer.json()["error"]["message"]
    house.run()
    assert house.order(task_id).status == "closed"


def test_a_paused_cancellation_is_taken_back_too(api: ApiClient) -> None:
    task_id = cancelling(api)
    assert api.post(f"/tasks/{task_id}/pause").status_code == 200
    assert api.post(f"/tasks/{task_id}/undo", json=REASON).status_code == 200


def test_a_number_in_the_reason_is_never_shown(api: ApiClient) -> None:
    task_id = cancelling(api)
    api.post(f"/tasks/{task_id}/undo", json={"reason": "客户 13800138000 来电"})
    (review,) = reviews(api, task_id)
    with api.house.database.transaction() as work:
        lines = str(OrderView(work).audit_lines(task_id))
    assert "13800138000" not in review.question + lines


@pytest.mark.parametrize(
    "body", [{}, {"reason": ""}, {"reason": "  "}, {"reason": "a\x00b"}, {"reason": "x" * 201}]
)
def test_a_reason_must_be_given(api: ApiClient, body: dict[str, str]) -> None:
    assert api.post(f"/tasks/{cancelling(api)}/undo", json=body).status_code == 422


def test_an_unknown_order_and_a_key_without_the_scope_are_refused(api: ApiClient) -> None:
    assert api.post("/tasks/HT-none/undo", json=REASON).status_code == 404
    assert api.post(f"/tasks/{cancelling(api)}/undo", "audit_agent", json=REASON).status_code == 403


def test_another_actions_wait_is_left_alone(api: ApiClient) -> None:
    task_id = order_run(api.house, answered(READY), mode="manual")
    assert api.post(f"/tasks/{task_id}/undo", json=REASON).status_code == 409


def test_only_an_action_of_that_order_which_it_knows_nothing_of_is_taken_back(api: ApiClient) -> None:
    task_id = order_run(api.house, answered(READY))
    api.house.run_to_the_end()
    action_id = Probe(api.house.database).values("SELECT action_id FROM actions WHERE task_id = %s", task_id)[
        0
    ]
    known = api.post(f"/tasks/{task_id}/actions/{action_id}/take-back", json=REASON)
    assert (known.status_code, known.json()["error"]["details"]["action_status"]) == (409, "executed")
    for path in (f"HT-nobody/actions/{action_id}", f"{task_id}/actions/ACT-none"):
        assert api.post(f"/tasks/{path}/take-back", json=REASON).status_code == 404
    # The built-in order system is our own tables, so this can only be made by hand.
    Probe(api.house.database).write("UPDATE actions SET status = 'unmatched' WHERE action_id = %s", action_id)
    answers = [api.post(f"/tasks/{task_id}/actions/{action_id}/take-back", json=REASON) for _ in range(2)]
    assert [answer.json()["outcome"] for answer in answers] == ["applied", "repeated"]
