"""One trace id joins all that follows from a request, in whatever channel it is told of; nothing is without one."""

import logging
import re
from typing import Any

import pytest
from sqlalchemy import text
from structlog.testing import capture_logs

from storage.outbound.notices import Notices
from storage.people.alerts import Alerts
from tasks.outbound.feeding import Feeder
from tests.support.api.client import ApiClient
from tests.support.engine.triggered_runs import activate, runs_of, triggered
from tests.support.factories import answered, payload
from tests.support.outbound.notice_sender import raised
from tests.support.outbound.webhook_sender import WebhookSenderAtWork
from tests.support.waiting import wait_until

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
TRACED = {"traceparent": f"00-{TRACE}-00f067aa0ba902b7-01"}
MADE = re.compile("[0-9a-f]{32}")


def events_of(api: ApiClient, task_id: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = api.get(
        f"/tasks/{task_id}/events", params={"format": "json", "limit": 100}
    ).json()["events"]
    return found


def test_the_trace_of_the_request_is_on_its_task_its_execution_and_every_event(api: ApiClient) -> None:
    sent = payload(answered())
    taken = api.post("/tasks", json=sent, headers=TRACED | {"X-Request-ID": "req-of-upstream"}).json()
    api.house.run()
    task = api.get(f"/tasks/{taken['task_id']}").json()
    events = events_of(api, taken["task_id"])
    execution = api.get(f"/executions/{events[0]['execution_id']}").json()
    assert events[-1]["event_type"] == "task_closed"
    assert {each["trace_id"] for each in (taken, task, execution, *events)} == {TRACE}
    assert {each["request_id"] for each in events} == {"req-of-upstream"}


def test_a_request_that_names_no_valid_trace_begins_one(api: ApiClient) -> None:
    traces = set()
    for header in ({}, {"traceparent": TRACED["traceparent"].upper()}):
        taken = api.post("/agents/orchestrator/tasks/start", json=payload(), headers=header).json()
        traces |= {each["trace_id"] for each in events_of(api, taken["task_id"])}
    assert len(traces) == 2
    assert TRACE not in traces
    assert all(MADE.fullmatch(trace) for trace in traces)


def test_the_log_line_of_a_step_carries_the_trace(api: ApiClient, caplog: pytest.LogCaptureFixture) -> None:
    api.post("/tasks", json=payload(answered()), headers=TRACED)
    with caplog.at_level(logging.INFO, logger="engine.engine"), capture_logs() as lines:
        api.house.run()
    worked = [line for line in lines if line["event"] == "step worked"]
    assert worked
    assert {line["trace_id"] for line in worked} == {TRACE}


def test_webhooks_carry_the_trace_of_what_they_tell_of(api: ApiClient) -> None:
    office = WebhookSenderAtWork(api.house.database)
    subscriber_id = office.subscribe("http://127.0.0.1:9/")
    api.post("/tasks", json=payload(answered()), headers=TRACED)
    api.house.run()
    office.feed(subscriber_id)
    with api.house.database.transaction() as work:
        told = (
            work.connection.execute(text("SELECT payload #>> '{data,trace_id}' FROM deliveries"))
            .scalars()
            .all()
        )
    assert set(told) == {TRACE}


def test_a_notice_carries_the_trace_of_its_task_or_one_of_its_own(api: ApiClient) -> None:
    sent = payload(task_id="HT1")
    api.post("/tasks", json=sent, headers=TRACED)
    with api.house.database.transaction() as work:
        Notices(work).declare(["duty_manager"])
        Alerts(work).raise_all([raised(message="of the order")])
        work.connection.execute(text("DELETE FROM tasks"))
        work.connection.execute(text("DELETE FROM runs"))
        Alerts(work).raise_all([raised(message="of what is gone")])
    latest, first = api.get("/notices").json()["notices"]
    assert first["trace_id"] == TRACE
    assert MADE.fullmatch(latest["trace_id"])
    assert latest["trace_id"] != TRACE


def test_what_an_event_begins_goes_on_in_its_trace(api: ApiClient) -> None:
    feeder = Feeder(api.house.engine, api.house.outbound)
    report = {
        "id": "only",
        "agent": "general",
        "action": "report",
        "parameters": {"title": "日报", "text": "无"},
    }
    activate(api.house, triggered("beside", "task_received", steps=[report]))
    feeder.round()
    api.post("/tasks", json=payload(), headers=TRACED)
    wait_until(feeder.round, "the event is fed")
    api.house.tick.sweep()
    (begun,) = runs_of(api.house, "beside")
    with api.house.database.transaction() as work:
        trace = work.connection.execute(
            text("SELECT trace_id FROM runs WHERE workflow = 'beside'")
        ).scalar_one()
    assert begun
    assert trace == TRACE


def test_a_refused_input_is_told_of_in_the_trace_of_its_request(api: ApiClient) -> None:
    body = {"tasks": [payload() | {"order_id": 7}], "source": "http"}
    api.post("/tasks/batch", json=body, headers=TRACED)
    with api.house.database.transaction() as work:
        (told,) = work.connection.execute(text("SELECT event_type, trace_id FROM events")).all()
    assert tuple(told) == ("task_rejected", TRACE)


@pytest.mark.parametrize("table", ["runs", "events", "inbox", "notices"])
def test_no_row_is_without_a_trace(api: ApiClient, table: str) -> None:
    nullable = text(
        "SELECT is_nullable FROM information_schema.columns WHERE table_name = :table AND column_name = 'trace_id'"
    )
    with api.house.database.transaction() as work:
        assert work.connection.execute(nullable, {"table": table}).scalar_one() == "NO"


def test_an_opened_review_is_told_of_with_its_interrupt_and_its_deadline(api: ApiClient) -> None:
    taken = api.post("/tasks", json=payload(answered("嗯"))).json()
    api.house.run()
    (opened,) = [each for each in events_of(api, taken["task_id"]) if each["event_type"] == "review_opened"]
    interrupt = api.get(f"/interrupts/{opened['interrupt_id']}").json()
    assert interrupt["task_id"] == taken["task_id"]
    assert opened["until"] == interrupt["deadline_at"]
