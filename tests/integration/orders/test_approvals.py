"""Actions that the configuration wants a person to agree to: asked once, and carried out once agreed."""

import shutil
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from runtime.settings import PROJECT
from statemachine.orders.intents import Level2
from storage.engine.clock import BusinessClock
from storage.orders.order_view import OrderView
from storage.people.reviews import Review, Reviews
from tasks.orders.people.deciding import Decision, decide
from tasks.people.answers import Decided
from tests.support.api.background_work import working_in_background
from tests.support.api.client import api_over, register_keys
from tests.support.factories import CANCEL, READY, answered
from tests.support.in_process_fleet import InProcessFleet
from tests.support.orders.signals import order_run
from tests.support.probe import Probe

Building = Callable[[str], InProcessFleet]


@pytest.fixture
def building(database_url: str, tmp_path: Path) -> Iterator[Building]:
    """Builds a house whose approval policy has this content."""
    built: list[InProcessFleet] = []

    def build(policy: str) -> InProcessFleet:
        folder = tmp_path / "config"
        shutil.copytree(PROJECT / "config", folder)
        (folder / "policies" / "approval.yaml").write_text(policy, encoding="utf-8")
        built.append(InProcessFleet.build(database_url, config_folder=folder))
        return built[0]

    yield build
    for house in built:
        house.close()


def through_the_window(house: InProcessFleet, task_id: str) -> None:
    """Let a cancellation's undo window pass."""
    with house.database.transaction() as work:
        BusinessClock(work).set(
            BusinessClock(work).now().business_now + house.context.policy.undo_window + timedelta(seconds=1)
        )
    house.run()
    assert [step["state"] for step in house.steps(task_id)][-1] != "scheduled"


def question(house: InProcessFleet, task_id: str) -> Review:
    with house.database.transaction() as work:
        (review,) = Reviews(work).list(task_id=task_id)
    return review


def actions(house: InProcessFleet, task_id: str) -> list[str]:
    rows = Probe(house.database).values(
        "SELECT action_type FROM actions WHERE task_id = %s ORDER BY action_type DESC", task_id
    )
    return list(rows)


@pytest.mark.parametrize("decision", ["retry", "classify"])
def test_an_approved_cancellation_is_carried_out_by_whoever_agreed(building: Building, decision: str) -> None:
    house = building("always: [cancel_order]")
    task_id = order_run(house, answered(CANCEL))
    through_the_window(house, task_id)
    review = question(house, task_id)
    assert (review.reason, actions(house, task_id)) == ("approval_required", [])
    meant = Level2.NO_LONGER_NEEDED if decision == "classify" else None
    agreed = Decision(decision=decision, decided_by="王芳", intent_level2=meant)
    assert decide(house.engine, house.context, review.review_id, agreed)[0] is Decided.APPLIED
    house.run()
    if decision == "classify":
        # It is a decision of its own, which can be taken back like any.
        through_the_window(house, task_id)
    assert house.order(task_id).status == "closed"
    assert actions(house, task_id) == ["cancel_order"]
    with house.database.transaction() as work:
        (line,) = [
            row["metadata"]
            for row in OrderView(work).audit_lines(task_id)
            if row["event_type"] == "action_executed"
        ]
    assert (line["decided_by"], line["automatic"]) == ("王芳", False)


def test_what_nobody_agreed_to_is_never_carried_out(building: Building) -> None:
    house = building("always: [cancel_order]")
    task_id = order_run(house, answered(CANCEL))
    through_the_window(house, task_id)
    closing = Decision(decision="close", decided_by="王芳", reason="客户反悔")
    decide(house.engine, house.context, question(house, task_id).review_id, closing)
    house.run_to_the_end()
    assert house.order(task_id).status == "closed"
    assert actions(house, task_id) == []


def test_other_actions_are_not_asked_about(building: Building) -> None:
    house = building("always: [cancel_order]")
    assert house.order(order_run(house, answered(READY))).status == "closed"


def test_beyond_the_days_limit_people_must_agree(building: Building) -> None:
    house = building("per_day: {update_appointment: 2}")
    orders = [order_run(house, answered(READY)) for _ in range(4)]
    assert [house.order(task_id).status for task_id in orders] == [
        "closed",
        "closed",
        "classified",
        "classified",
    ]
    assert question(house, orders[2]).reason == "approval_required"
    with house.database.transaction() as work:
        BusinessClock(work).set(BusinessClock(work).now().business_now + timedelta(days=1))
    assert house.order(order_run(house, answered(READY))).status == "closed"


def test_a_caller_is_told_to_wait_for_the_approval_that_another_gives(building: Building) -> None:
    house = building("always: [update_appointment]")
    register_keys(house)
    task_id = order_run(house, answered(READY), mode="manual")
    with api_over(house) as caller, working_in_background(house):
        caller.post("/agents/contact/initiate", json={"task_id": task_id, "contact_method": "phone"})
        caller.post("/agents/triage/classify", json={"task_id": task_id})
        wanted = {"task_id": task_id, "action_type": "update_appointment"}
        asked = caller.post("/actions/execute", json=wanted).json()
        assert asked["status"] == "pending_approval"
        decision = {"decision": "classify", "intent_level2": "可上门", "reason": "同意"}
        review = asked["result"]["review_id"]
        # Whoever asked does not agree to it themselves.
        assert caller.post(f"/reviews/{review}/decide", json=decision).status_code == 403
        assert caller.post(f"/reviews/{review}/decide", "operator", json=decision).status_code == 200
        assert caller.post("/actions/execute", json=wanted).json()["status"] == "executed"
        assert caller.post("/actions/execute", json=wanted).json()["status"] == "executed"
    assert actions(house, task_id) == ["update_appointment", "notify_engineer"]
