"""A wait of a run without an order ends when its caller says so, and it is told nothing of orders (SPEC.md §6)."""

from collections.abc import Iterator
from typing import Any

import pytest

from statemachine.workflow.states import RunState
from tests.support.api.client import ApiClient
from tests.support.api.signals import NUMBER, conflict, send_signal
from tests.support.engine.general_runs import ScriptedActions, begin, definition, nodes_of, state_of
from tests.support.factories import READY
from tests.support.in_process_fleet import InProcessFleet


@pytest.fixture
def house(database_url: str) -> Iterator[InProcessFleet]:
    """A house that knows a general workflow with a wait beside the order's."""
    bench = ScriptedActions()
    steps = [
        {"id": "first", "agent": "contact", "action": "check", "next": "pause"},
        {"id": "pause", "type": "wait", "seconds": 3600, "next": "enough"},
        {"id": "enough", "type": "gateway", "condition": "paid", "next": "last", "else": "end"},
        {"id": "last", "agent": "audit", "action": "check"},
    ]
    built = InProcessFleet.build(
        database_url, actions=bench.actions(), workflows=[definition("parallel_branches", steps=steps)]
    )
    yield built
    built.close()


def general_run(api: ApiClient) -> str:
    """A run without an order that has come to its wait."""
    (run_id,) = begin(api.house, "parallel_branches")
    api.house.run()
    assert nodes_of(api.house, run_id)["pause"] == ["scheduled"]
    return run_id


def test_a_wait_of_a_run_ends_when_it_is_told_to(api: ApiClient) -> None:
    run_id = general_run(api)
    data = {"step": "pause", "output": {"paid": True}}
    answer = send_signal(api, run_id, "continue", signal_id="payment-1", data=data)
    assert (answer.json()["outcome"], answer.json()["status"]) == ("applied", "running")
    api.house.run()
    assert nodes_of(api.house, run_id)["last"] == ["done"]
    assert state_of(api.house, run_id) == RunState.COMPLETED
    again = send_signal(api, run_id, "continue", signal_id="payment-1", data=data)
    assert again.json() == answer.json() | {"outcome": "repeated"}


def test_what_ends_the_last_wait_completes_the_run(api: ApiClient) -> None:
    run_id = general_run(api)
    assert send_signal(api, run_id, "continue", data={"step": "pause"}).json()["status"] == "completed"
    assert "last" not in nodes_of(api.house, run_id)


@pytest.mark.parametrize("step", ["first", "last", "nowhere"])
def test_what_does_not_wait_cannot_be_continued(api: ApiClient, step: str) -> None:
    run_id = general_run(api)
    error = conflict(send_signal(api, run_id, "continue", data={"step": step}))
    assert error["details"]["current_state"] == "running"
    assert nodes_of(api.house, run_id)["pause"] == ["scheduled"]


def test_a_wait_that_is_over_cannot_be_continued(api: ApiClient) -> None:
    run_id = general_run(api)
    send_signal(api, run_id, "continue", data={"step": "pause"})
    assert conflict(send_signal(api, run_id, "continue", data={"step": "pause"}))["details"]["current_state"]


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("part_arrived", {}),
        ("phone_changed", {"phone": NUMBER}),
        ("priority_changed", {"priority": 9}),
        ("order_cancelled", {}),
        ("customer_called", {"words": READY}),
    ],
)
def test_a_run_without_an_order_is_told_nothing_of_orders(
    api: ApiClient, kind: str, data: dict[str, Any]
) -> None:
    run_id = general_run(api)
    assert "is for orders" in conflict(send_signal(api, run_id, kind, data=data))["message"]
