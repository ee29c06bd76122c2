"""What the exporter's series say of what happened."""

import math
from datetime import timedelta

import pytest

from schemas.orders.contact import Channel
from statemachine.orders.intents import Level1
from statemachine.orders.states import State
from statemachine.workflow.states import StepState
from storage.core.database import Database
from storage.core.unit_of_work import UnitOfWork
from storage.engine.clock import BusinessClock
from storage.engine.flow.new_steps import NewStep, NewSteps
from storage.engine.queues import Queues
from storage.engine.step_counts import StepCounts
from storage.engine.steps import StepChange, StepKey, Steps
from storage.orders.fleet_view import FleetView
from tasks.orders.upkeep.counting import count
from tests.support.agents import QUEUES
from tests.support.outbound.webhook_sender import WebhookSenderAtWork, event
from tests.support.recorded_work import (
    audited,
    classified,
    order,
    record_done_step,
    review,
    step,
    transition,
    write,
)
from tests.support.scraping import read


def test_every_label_value_that_is_known_is_there_before_anything_happened(database: Database) -> None:
    series = read(database)
    assert series["ops_exporter_up"] == 1
    assert {s: series[f"tasks_by_state,state={s}"] for s in State} == dict.fromkeys(State, 0)
    for channel in Channel:
        assert series[f"contact_attempt_total,channel={channel}"] == 0
        assert series[f"contact_answered_total,channel={channel}"] == 0
    for queue in QUEUES:
        assert series[f"agent_request_total,agent={queue}"] == series[f"agent_error_total,agent={queue}"] == 0
        assert (
            series[f"queue_rows,queue={queue},state=ready"]
            == series[f"queue_oldest_seconds,queue={queue}"]
            == 0
        )


def test_a_mean_of_nothing_is_no_number_and_so_raises_no_alert(database: Database) -> None:
    series = read(database)
    assert all(math.isnan(series[f"triage_confidence,intent_level1={intent}"]) for intent in Level1)
    assert math.isnan(series["action_auto_execute_rate"])


def test_a_round_is_a_success_when_it_ended_with_an_action_executed(database: Database) -> None:
    for task_id in ("a", "b", "c"):
        order(database, task_id)
    transition(database, "a", 1, "action_taken", "intent=暂缓", "waiting_followup")
    transition(database, "b", 1, "no_response", "contact.max_reached", "closed")
    transition(database, "c", 1, "contacting", "user.responded", "responded")
    series = read(database)
    assert (series["task_total"], series["task_success_total"]) == (2, 1)


def test_an_order_cancelled_while_it_waits_for_its_followup_ends_no_second_round(database: Database) -> None:
    order(database, "a")
    transition(database, "a", 1, "action_taken", "intent=暂缓", "waiting_followup")
    transition(database, "a", 2, "waiting_followup", "task.cancel", "closed")
    assert read(database)["task_total"] == 1


def test_the_active_time_of_an_order_is_the_sum_of_its_steps_and_an_edge_holds_its_own_value(
    database: Database,
) -> None:
    order(database, "a", "closed", run_ended=True)
    record_done_step(database, "a", 100)
    record_done_step(database, "a", 200)
    series = read(database)
    assert series["task_processing_time_sum"] == 300
    assert series["task_processing_time_bucket,le=240.0"] == 0
    assert series["task_processing_time_bucket,le=300.0"] == 1
    assert series["task_processing_time_bucket,le=+Inf"] == series["task_processing_time_count"] == 1


def test_time_parked_is_not_active_time(database: Database) -> None:
    order(database, "a", "closed", run_ended=True)
    record_done_step(database, "a", 2)
    record_done_step(database, "a", 500, error="parked")
    assert read(database)["task_processing_time_sum"] == 2


def test_an_order_whose_last_step_is_still_at_work_is_not_measured_yet(database: Database) -> None:
    order(database, "a", "closed", run_ended=False)
    record_done_step(database, "a", 2)
    assert read(database)["task_processing_time_count"] == 0


def test_contacts_are_counted_by_channel_and_one_that_the_channel_refused_is_none(database: Database) -> None:
    order(database, "a")
    for number, (channel, status, result) in enumerate(
        (
            ("phone", "concluded", "no_answer"),
            ("phone", "concluded", "answered"),
            ("sms", "sent", "pending"),
            ("im", "refused", "pending"),
        )
    ):
        write(
            database,
            "INSERT INTO contact_logs (contact_id, task_id, contact_method, contact_result, key, round, "
            "contact_no, step_id, status) "
            "VALUES (:key, 'a', :channel, :result, :key, 1, :number, 1, :status)",
            key=f"CONT{number}",
            channel=channel,
            status=status,
            result=result,
            number=number,
        )
    series = read(database)
    attempts = {channel: series[f"contact_attempt_total,channel={channel}"] for channel in Channel}
    assert attempts == {"phone": 2, "sms": 1, "im": 0}
    assert series["contact_answered_total,channel=phone"] == 1


@pytest.mark.parametrize("ending", ["done", "failed", "cancelled"])
def test_an_agents_counters_never_fall_whatever_becomes_of_a_step(database: Database, ending: str) -> None:
    order(database, "a")
    seen: list[tuple[float, float]] = []

    def look() -> None:
        series = read(database)
        seen.append((series["agent_request_total,agent=triage"], series["agent_error_total,agent=triage"]))

    def claim(work: UnitOfWork, delivery: int, seconds: float = 60) -> None:
        key = StepKey(step_id, delivery)
        lease = f"lease_{delivery}"
        assert Steps(work).claim([key], lease_id=lease, holder="test", queue="triage", seconds=seconds)

    def change(work: UnitOfWork, state: StepState, delivery: int, tries: int) -> None:
        Steps(work).change([StepChange(step_id=step_id, state=state, delivery=delivery, tries=tries)])

    with database.transaction() as work:
        new = NewStep(
            run_id="exec_a",
            subject_id="a",
            node="n",
            kind="action",
            queue="triage",
            action="triage.work",
            state=StepState.PUBLISHED,
        )
        step_id = NewSteps(work).insert([new], BusinessClock(work).now().database_now)[0].step_id
    look()
    for happen in (
        lambda work: claim(work, 1, seconds=-1),
        lambda work: Queues(work).rescue(3, 10, grace_seconds=0),
        lambda work: claim(work, 2),
        lambda work: change(work, StepState.READY, 3, 1),
        lambda work: claim(work, 3),
        lambda work: change(work, StepState.PARKED, 3, 1),
        lambda work: change(work, StepState(ending), 3, 1),
    ):
        with database.transaction() as work:
            happen(work)
        look()
    assert seen == sorted(seen)
    assert seen[-1] == (3, 3 if ending == "failed" else 2)


def test_a_new_exporter_counts_on_where_the_last_one_ended(database: Database) -> None:
    order(database, "a")
    transition(database, "a", 1, "action_taken", "intent=暂缓", "waiting_followup")
    assert read(database)["task_total"] == read(database)["task_total"] == 1


def test_confidence_is_the_mean_of_the_last_business_hour(database: Database) -> None:
    order(database, "a")
    classified(database, "a", "0.5")
    classified(database, "a", "0.9", hours_ago=0.9)
    classified(database, "a", "0.1", hours_ago=1.1)
    assert read(database)["triage_confidence,intent_level1=暂缓"] == pytest.approx(0.7)


def test_an_audit_line_of_an_outside_agent_with_words_for_a_confidence_breaks_nothing(
    database: Database,
) -> None:
    order(database, "a")
    classified(database, "a", '"high"')
    audited(database, "a", "action_executed", '{"automatic": "yes"}')
    series = read(database)
    assert math.isnan(series["triage_confidence,intent_level1=暂缓"])
    assert math.isnan(series["action_auto_execute_rate"])


def test_the_automatic_share_leaves_out_orders_whose_fate_is_open(database: Database) -> None:
    for task_id, fate in (("a", "auto"), ("b", "auto"), ("c", "auto"), ("d", "person"), ("e", "open")):
        order(database, task_id)
        classified(database, task_id, "0.9")
        if fate == "auto":
            audited(database, task_id, "action_executed", '{"automatic": true}')
        if fate == "person":
            audited(database, task_id, "review_opened")
            audited(database, task_id, "action_executed", '{"automatic": false}')
    assert read(database)["action_auto_execute_rate"] == 0.75


def test_the_oldest_row_of_a_queue_has_waited_since_it_became_ready(database: Database) -> None:
    order(database, "a")
    with database.transaction() as work:
        now = BusinessClock(work).now().database_now
    # Priority 10 moves a row 20 minutes forward in its queue; it has waited 60 seconds all the same.
    ready_at = now - timedelta(seconds=60)
    step(database, "a", "ready", priority=10, ready_at=ready_at, urgency=ready_at - timedelta(minutes=20))
    step(database, "a", "leased", lease_id="lease_a")
    series = read(database)
    assert series["queue_rows,queue=contact,state=ready"] == 1
    assert series["queue_rows,queue=contact,state=leased"] == 1
    assert 60 <= series["queue_oldest_seconds,queue=contact"] < 70


def test_rows_of_a_paused_run_do_not_wait_for_a_worker(database: Database) -> None:
    order(database, "a")
    step(database, "a", "ready", held=True, urgency=None)
    assert read(database)["queue_rows,queue=contact,state=ready"] == 0


def test_the_ledger_finds_an_order_that_nothing_moves_on(database: Database) -> None:
    order(database, "closed", "closed", run_ended=True)
    order(database, "open")
    step(database, "open", "scheduled")
    order(database, "in_review", "responded")
    review(database, "in_review")
    order(database, "lost")
    step(database, "lost", "done")
    count(database, seconds=60.0)
    series = read(database)
    ledger = {a: series[f"ledger,account={a}"] for a in ("in", "closed", "open", "in_review", "unaccounted")}
    assert ledger == {"in": 4, "closed": 1, "open": 1, "in_review": 1, "unaccounted": 1}
    assert (series["tasks_in_progress"], series["tasks_completed_today"]) == (3, 1)


def test_a_review_is_overdue_after_a_day_although_its_deadline_was_cleared(database: Database) -> None:
    for task_id, state, hours in (("a", "open", 0), ("b", "open", 25), ("c", "decided", 25)):
        order(database, task_id)
        review(database, task_id, state, hours)
    series = read(database)
    assert (series["reviews_open"], series["reviews_overdue"]) == (2, 1)


def test_alerts_are_counted_in_the_last_hour_and_until_they_are_handled(database: Database) -> None:
    for number, (hours, handled) in enumerate(((0, False), (0, True), (2, False))):
        write(
            database,
            "INSERT INTO alerts (alert_id, alert_type, severity, message, escalated_to, raised_at, "
            "handled_at) VALUES (:id, 'low_confidence', 'warning', 'm', 'quality_inspector', "
            "business_now() - make_interval(hours => :hours), "
            "CASE WHEN :handled THEN business_now() END)",
            id=f"ALT{number}",
            hours=hours,
            handled=handled,
        )
    series = read(database)
    assert (series["audit_alert_count"], series["alerts_active"]) == (2, 2)
    assert series["alerts_handled_today"] == 1


def test_a_message_that_is_due_and_not_sent_grows_old(database: Database) -> None:
    office = WebhookSenderAtWork(database)
    subscriber_id = office.subscribe("http://127.0.0.1:9/")
    assert read(database)["webhook_oldest_due_seconds"] == 0
    office.tell(event("a"))
    office.feed(subscriber_id)
    office.change("UPDATE deliveries SET due_at = due_at - interval '1 hour'")
    assert read(database)["webhook_oldest_due_seconds"] >= 3600


def test_rows_that_wait_are_counted_to_a_number_and_no_further(database: Database) -> None:
    order(database, "a")
    for _ in range(5):
        step(database, "a", "parked", due_clock="business", due_at="2026-01-01")
        step(database, "a", "ready", urgency="2026-01-01")
    with database.transaction() as work:
        found = {row.state: row.rows for row in StepCounts(work).by_queue(QUEUES, most=3, most_timed=3)}
        all_of_them = {row.state: row.rows for row in StepCounts(work).by_queue(QUEUES)}
    assert found == {"parked": 3, "ready": 3}
    assert all_of_them == {"parked": 5, "ready": 5}


def test_what_is_due_last_is_not_what_a_paused_run_holds(database: Database) -> None:
    order(database, "a")
    step(database, "a", "parked", due_clock="business", due_at="2026-01-01T00:00Z")
    step(database, "a", "parked", due_clock="business", due_at="2027-01-01T00:00Z", held=True)
    with database.transaction() as work:
        furthest = FleetView(work).furthest_due()
    assert furthest is not None
    assert furthest.year == 2026
