"""Every cell of `docs/routes_by_state.yaml`: a call about an order, in every situation, in both modes."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest
import yaml

from runtime.settings import PROJECT
from tests.support.api.client import api_over, register_keys
from tests.support.api.state_calls import CALLS, StateCall
from tests.support.api.stopped_orders import SITUATIONS, StoppedOrder, StoppedOrders, answering
from tests.support.in_process_fleet import InProcessFleet
from tests.support.servers import Servers

TABLE: dict[str, Any] = yaml.safe_load((PROJECT / "docs" / "routes_by_state.yaml").read_text("utf-8"))
CELLS = [(name, mode) for name in TABLE["calls"] for mode in ("auto", "manual")]
UNDER_WAY = 202


@pytest.fixture(scope="module")
def stage(servers: Servers) -> Iterator[StoppedOrders]:
    """Orders of one database: what no call has changed is used again."""
    house = InProcessFleet.build(servers.new_database())
    register_keys(house)
    with api_over(house) as api:
        yield StoppedOrders(api)
    house.close()


def test_the_table_has_every_situation_and_every_call() -> None:
    assert list(TABLE["situations"]) == list(SITUATIONS)
    assert list(TABLE["calls"]) == list(CALLS)


@pytest.mark.parametrize(("name", "mode"), CELLS, ids=[f"{name} ({mode})" for name, mode in CELLS])
def test_a_call_answers_as_the_table_has_it(stage: StoppedOrders, name: str, mode: str) -> None:
    row = TABLE["calls"][name][mode]
    wrong = [
        f"{situation}: {found}, the table has {expected}"
        for situation in SITUATIONS
        for expected in [str(row.get(situation, row["default"]))]
        if not agrees(found := answered_in(stage, name, mode, situation, expected), expected)
    ]
    assert not wrong, "\n".join(wrong)


def answered_in(stage: StoppedOrders, name: str, mode: str, situation: str, expected: str) -> str:
    """The status in this cell, and the message of a refusal; an order that was refused is as it was."""
    order = stage.order(situation, mode)
    call = CALLS[name](order)
    if call is None:
        stage.keep(situation, mode, order)
        return "none"
    before = order.snapshot()
    answer = called(stage, call, mode, waits=not expected.startswith(str(UNDER_WAY)))
    unchanged = order.snapshot() == before
    if answer.status_code >= 400:
        assert unchanged, f"{situation}: refused, and changed all the same: {answer.text}"
    if unchanged and answer.status_code != UNDER_WAY:
        stage.keep(situation, mode, order)
    else:
        order.go_on()
    require_single_contacts(order)
    message = answer.json()["error"]["message"] if answer.status_code >= 400 else ""
    return f"{answer.status_code} {message}".strip()


def called(stage: StoppedOrders, call: StateCall, mode: str, *, waits: bool) -> httpx2.Response:
    """The answer; the step of a manual order is waited for, one that is on its way already is not.

    What stays under way however long it is waited for is asked for once the fleet has done all that it can.
    """
    headers = call.headers if mode == "auto" or not waits else {}
    options: dict[str, Any] = {} if call.body is None else {"json": call.body}
    with answering(stage.api.house):
        answer = stage.api.call(call.method, call.path, headers=dict(headers), **options)
    if mode == "manual" and answer.status_code == UNDER_WAY:
        stage.api.house.wire.deliver(stage.api.house.execute)
        asked = stage.api.get(answer.json()["poll"].removeprefix("/v1")).json()
        assert asked["status"] == "waiting", asked
    return answer


def agrees(found: str, expected: str) -> bool:
    """Whether an answer is the one of the table, whose reasons are names."""
    status, _, reason = expected.partition(" ")
    return found.partition(" ")[0] == status and (not reason or TABLE["reasons"][reason] in found)


def require_single_contacts(order: StoppedOrder) -> None:
    """Every attempt was made once, whoever asked for it."""
    attempts = Counter(
        (contact.round, contact.contact_no) for contact in order.contacts() if contact.contact_no
    )
    assert not [attempt for attempt, times in attempts.items() if times > 1]
