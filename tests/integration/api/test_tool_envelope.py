"""The seed's tool call envelope: its deadline and its retries hold, up to the tool's own (seed 000 section 五)."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from statemachine.workflow.states import StepState
from tests.support.api.client import ApiClient
from tests.support.api.failing_provider import failing_provider
from tests.support.api.outside_agents import begun, classified, contacted, driven_from_outside, said
from tests.support.factories import READY
from tests.support.in_process_fleet import InProcessFleet
from tests.support.orders.order_system import OrderSystemServer, Reply
from tests.support.waiting import wait_until

REFUSED = Reply(status=503, performs=False)


@pytest.fixture
def desk() -> Iterator[OrderSystemServer]:
    with OrderSystemServer() as opened:
        yield opened


@pytest.fixture
def caller(database_url: str, desk: OrderSystemServer) -> Iterator[ApiClient]:
    """The API of manual orders that live in another order system, with a fleet at work."""
    house = InProcessFleet.build(database_url, order_system_url=desk.url, order_system_secret=desk.secret)
    with driven_from_outside(house) as opened:
        yield opened
    house.context.order_system.close()
    house.close()


def classified_order(caller: ApiClient) -> str:
    """A manual order whose visit is about to be booked."""
    task_id = begun(caller, "HT1", said(READY))
    assert contacted(caller, task_id).status_code == 200
    assert classified(caller, task_id).status_code == 200
    return task_id


def called(caller: ApiClient, tool: str, task_id: str, agent: str = "action_agent", **envelope: Any) -> Any:
    options = envelope.pop("options", {})
    body = {"input": {"task_id": task_id}, **envelope}
    return caller.post(f"/tools/{tool}/call", agent, json=body, **options)


def booked(caller: ApiClient, task_id: str, **envelope: Any) -> Any:
    return called(caller, "update_appointment", task_id, **envelope)


@contextmanager
def house_with(database_url: str, channel_url: str) -> Iterator[ApiClient]:
    """The API of manual orders whose customers are reached through this provider."""
    house = InProcessFleet.build(database_url, channel="http", channel_url=channel_url, channel_token="t")
    with driven_from_outside(house) as caller:
        yield caller
    house.context.gateway.close()
    house.close()


def step_of(caller: ApiClient, task_id: str, node: str) -> Any:
    return next(step for step in caller.house.steps(task_id) if step["node"] == node)


@pytest.mark.parametrize("retries", [0, 1])
def test_a_call_that_fails_is_repeated_as_often_as_the_caller_says(
    caller: ApiClient, desk: OrderSystemServer, retries: int
) -> None:
    task_id = classified_order(caller)
    desk.lay_out("update_appointment", *[REFUSED] * 3)
    answer = booked(caller, task_id, retry_policy={"max_retries": retries, "retry_delay_ms": 0})
    assert answer.status_code == 409, answer.text
    assert answer.json()["error"]["details"]["reason"] == "order_system_unavailable"
    assert len(desk.of("update_appointment")) == 1 + retries


def test_the_caller_is_answered_once_a_repetition_has_succeeded(
    caller: ApiClient, desk: OrderSystemServer
) -> None:
    task_id = classified_order(caller)
    desk.lay_out("update_appointment", REFUSED)
    answer = booked(caller, task_id, retry_policy={"max_retries": 1, "retry_delay_ms": 0})
    assert answer.status_code == 200, answer.text
    assert answer.json()["output"]["status"] == "executed"
    assert len(desk.of("update_appointment")) == 2


def test_a_call_ends_at_the_deadline_of_the_envelope(caller: ApiClient, desk: OrderSystemServer) -> None:
    task_id = classified_order(caller)
    desk.lay_out("update_appointment", Reply(after=desk.closing))
    answer = booked(caller, task_id, timeout_ms=300, retry_policy={"max_retries": 0})
    assert answer.status_code == 409
    assert "within 0.3 s" in answer.json()["error"]["message"]


def test_a_deadline_above_the_tools_own_is_the_tools_own(caller: ApiClient, desk: OrderSystemServer) -> None:
    task_id = classified_order(caller)
    desk.lay_out("update_appointment", Reply(after=desk.closing))
    answer = booked(caller, task_id, timeout_ms=30_000, retry_policy={"max_retries": 0})
    assert "within 5 s" in answer.json()["error"]["message"]


def test_limits_do_not_make_another_action_of_the_same_one(
    caller: ApiClient, desk: OrderSystemServer
) -> None:
    """An outcome that is not known is asked for again under the same key, however long the next caller waits."""
    task_id = classified_order(caller)
    desk.lay_out("update_appointment", Reply(drop=True))
    booked(caller, task_id, timeout_ms=4_000, retry_policy={"max_retries": 0})
    (review,) = caller.get("/reviews", params={"task_id": task_id}).json()["reviews"]
    caller.post(f"/reviews/{review['review_id']}/decide", json={"decision": "retry"})
    assert booked(caller, task_id, timeout_ms=5_000).status_code == 200
    assert len({asked.data["key"] for asked in desk.of("update_appointment")}) == 1


@pytest.mark.parametrize(
    ("envelope", "field"),
    [
        ({"timeout_ms": 0}, "timeout_ms"),
        ({"timeout_ms": -1}, "timeout_ms"),
        ({"timeout_ms": 30_001}, "timeout_ms"),
        ({"retry_policy": {"max_retries": -1}}, "retry_policy.max_retries"),
        ({"retry_policy": {"max_retries": 3}}, "retry_policy.max_retries"),
        ({"retry_policy": {"retry_delay_ms": -1}}, "retry_policy.retry_delay_ms"),
    ],
)
def test_what_no_tool_has_is_refused_with_its_field(
    manual: ApiClient, envelope: dict[str, Any], field: str
) -> None:
    answer = called(manual, "contact_user", "HT1", **envelope)
    assert answer.status_code == 422
    assert [fault["field"] for fault in answer.json()["error"]["details"]["fields"]] == [field]


def test_a_contact_that_was_not_made_is_repeated_no_more_often_than_the_caller_says(
    database_url: str,
) -> None:
    with failing_provider(refuses=True) as provider, house_with(database_url, provider.address) as caller:
        task_id = begun(caller, metadata={"phone": "13800138000"})
        answer = called(caller, "contact_user", task_id, "contact_agent", retry_policy={"max_retries": 0})
        assert answer.status_code == 409
        assert answer.json()["error"]["details"]["reason"] == "channel_unavailable"
        assert len(provider.keys) == 1


def test_a_contact_of_unknown_outcome_is_never_repeated_whatever_the_caller_asks(database_url: str) -> None:
    with failing_provider(silent=True) as provider, house_with(database_url, provider.address) as caller:
        task_id = begun(caller, metadata={"phone": "13800138000"})
        answer = called(
            caller,
            "contact_user",
            task_id,
            "contact_agent",
            timeout_ms=300,
            retry_policy={"max_retries": 2, "retry_delay_ms": 0},
            options={"headers": {"Prefer": "respond-async"}},
        )
        assert answer.status_code == 202

        def unknown() -> bool:
            error = step_of(caller, task_id, "step3_contact")["error"] or {}
            return "no answer within 0.3 seconds" in str(error.get("message"))

        wait_until(unknown, "the call ends at the deadline of the envelope")

        def found() -> bool:
            return bool(step_of(caller, task_id, "step3_contact")["state"] == StepState.PARKED.value)

        wait_until(found, "the provider is asked what became of it")
        assert len(provider.keys) == 1
