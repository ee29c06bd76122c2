"""What the exporter says of a database, series by series."""

import math
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from engine.publisher import QUEUES
from fleet.supervisor.ports import free_port
from runtime.cipher import Cipher
from statemachine.intents import Level1
from statemachine.states import State
from storage.database import Database, UnitOfWork
from storage.steps import NewStep, StepChange, StepKey
from storage.unavailable import StorageUnavailable
from tools.channels.contract import Channel
from workers.exporter import CACHE_SECONDS, ExporterServer, FleetCollector

Series = Mapping[str, float]

_TABLES = "tasks, runs, steps, transitions, contact_logs, audit_logs, reviews, alerts"


@pytest.fixture
def fleet(database: Database) -> Database:
    """A database in which nothing has happened."""
    write(database, f"TRUNCATE {_TABLES} CASCADE")
    return database


def write(database: Database, *statements: str, **parameters: object) -> None:
    with database.transaction() as work:
        for statement in statements:
            work._connection.execute(text(statement), parameters)


def scrape(collector: FleetCollector) -> Series:
    registry = CollectorRegistry()
    registry.register(collector)
    return parse(generate_latest(registry).decode())


def parse(exposition: str) -> Series:
    return {
        sample.name + "".join(f",{key}={value}" for key, value in sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(exposition)
        for sample in family.samples
    }


def read(database: Database) -> Series:
    return scrape(FleetCollector(database))


def order(database: Database, task_id: str, status: str = "contacting", *, run_ended: bool = False) -> None:
    closed = "business_now()" if status == "closed" else "NULL"
    ended = "clock_timestamp()" if run_ended else "NULL"
    write(
        database,
        "INSERT INTO runs (run_id, workflow, version, subject_id, state, open_steps, finished_at) "
        f"VALUES ('exec_' || :id, 'pending_task', '1.0', :id, 'running', 1, {ended})",
        "INSERT INTO tasks (task_id, order_id, order_type, status, run_id, digest, source, finished_at) "
        f"VALUES (:id, 'SO' || :id, '未上门', :status, 'exec_' || :id, '', 'http', {closed})",
        id=task_id,
        status=status,
    )


def step(database: Database, task_id: str, state: str, *, queue: str = "contact", **columns: object) -> None:
    given: dict[str, object] = {"kind": "action", "queue": queue, "action": f"{queue}.work", **columns}
    write(
        database,
        "INSERT INTO steps (run_id, subject_id, node, state, "
        f"{', '.join(given)}) VALUES ('exec_' || :id, :id, 'node', :state, {', '.join(f':{c}' for c in given)})",
        id=task_id,
        state=state,
        **given,
    )


def worked(database: Database, task_id: str, seconds: float, *, error: str | None = None) -> None:
    """A step that is done and took so long."""
    with database.transaction() as work:
        ended = work.clock.now().database_now
    step(
        database,
        task_id,
        "done",
        started_at=ended - timedelta(seconds=seconds),
        finished_at=ended,
        error=None if error is None else f'{{"code": "{error}"}}',
    )


def transition(database: Database, task_id: str, version: int, source: str, event: str, target: str) -> None:
    write(
        database,
        "INSERT INTO transitions (transition_id, task_id, version, from_state, event, to_state, agent_id) "
        "VALUES (:txn, :id, :version, :source, :event, :target, 'orchestrator')",
        txn=f"txn_{task_id}_{version}",
        id=task_id,
        version=version,
        source=source,
        event=event,
        target=target,
    )


def audited(
    database: Database, task_id: str, event_type: str, metadata: str = "{}", hours_ago: float = 0
) -> None:
    write(
        database,
        "INSERT INTO audit_logs (log_id, task_id, event_type, agent_id, metadata, timestamp) VALUES "
        "('LOG' || nextval(pg_get_serial_sequence('audit_logs', 'position')), :id, :event_type, 'triage_agent', "
        "CAST(:metadata AS jsonb), business_now() - make_interval(secs => :seconds))",
        id=task_id,
        event_type=event_type,
        metadata=metadata,
        seconds=hours_ago * 3600,
    )


def classified(database: Database, task_id: str, confidence: str, hours_ago: float = 0) -> None:
    metadata = f'{{"user_intent_l1": "暂缓", "confidence": {confidence}}}'
    audited(database, task_id, "intent_classified", metadata, hours_ago)


def review(database: Database, task_id: str, state: str = "open", hours_ago: float = 0) -> None:
    step(database, task_id, "parked", kind="human", queue=None, action=None)
    write(
        database,
        "INSERT INTO reviews (review_id, step_id, run_id, task_id, node, reason, question, decisions, state, "
        "opened_at) SELECT 'REV' || step_id, step_id, run_id, :id, node, 'r', 'q', '[]', :state, "
        "business_now() - make_interval(secs => :seconds) FROM steps WHERE run_id = 'exec_' || :id "
        "AND kind = 'human' ORDER BY step_id DESC LIMIT 1",
        id=task_id,
        state=state,
        seconds=hours_ago * 3600,
    )


def test_every_label_value_that_is_known_is_there_before_anything_happened(fleet: Database) -> None:
    series = read(fleet)
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


def test_a_mean_of_nothing_is_no_number_and_so_raises_no_alert(fleet: Database) -> None:
    series = read(fleet)
    assert all(math.isnan(series[f"triage_confidence,intent_level1={intent}"]) for intent in Level1)
    assert math.isnan(series["action_auto_execute_rate"])


def test_a_round_is_a_success_when_it_ended_with_an_action_executed(fleet: Database) -> None:
    for task_id in ("a", "b", "c"):
        order(fleet, task_id)
    transition(fleet, "a", 1, "action_taken", "intent=暂缓", "waiting_followup")
    transition(fleet, "b", 1, "no_response", "contact.max_reached", "closed")
    transition(fleet, "c", 1, "contacting", "user.responded", "responded")
    series = read(fleet)
    assert (series["task_total"], series["task_success_total"]) == (2, 1)


def test_an_order_cancelled_while_it_waits_for_its_followup_ends_no_second_round(fleet: Database) -> None:
    order(fleet, "a")
    transition(fleet, "a", 1, "action_taken", "intent=暂缓", "waiting_followup")
    transition(fleet, "a", 2, "waiting_followup", "task.cancel", "closed")
    assert read(fleet)["task_total"] == 1


def test_the_active_time_of_an_order_is_the_sum_of_its_steps_and_an_edge_holds_its_own_value(
    fleet: Database,
) -> None:
    order(fleet, "a", "closed", run_ended=True)
    worked(fleet, "a", 100)
    worked(fleet, "a", 200)
    series = read(fleet)
    assert series["task_processing_time_sum"] == 300
    assert series["task_processing_time_bucket,le=240.0"] == 0
    assert series["task_processing_time_bucket,le=300.0"] == 1
    assert series["task_processing_time_bucket,le=+Inf"] == series["task_processing_time_count"] == 1


def test_time_parked_is_not_active_time(fleet: Database) -> None:
    order(fleet, "a", "closed", run_ended=True)
    worked(fleet, "a", 2)
    worked(fleet, "a", 500, error="parked")
    assert read(fleet)["task_processing_time_sum"] == 2


def test_an_order_whose_last_step_is_still_at_work_is_not_measured_yet(fleet: Database) -> None:
    order(fleet, "a", "closed", run_ended=False)
    worked(fleet, "a", 2)
    assert read(fleet)["task_processing_time_count"] == 0


def test_contacts_are_counted_by_channel_and_one_that_the_channel_refused_is_none(fleet: Database) -> None:
    order(fleet, "a")
    for number, (channel, status, result) in enumerate(
        (
            ("phone", "concluded", "no_answer"),
            ("phone", "concluded", "answered"),
            ("sms", "sent", "pending"),
            ("im", "refused", "pending"),
        )
    ):
        write(
            fleet,
            "INSERT INTO contact_logs (contact_id, task_id, contact_method, contact_result, key, round, contact_no,"
            " step_id, status) VALUES (:key, 'a', :channel, :result, :key, 1, :number, 1, :status)",
            key=f"CONT{number}",
            channel=channel,
            status=status,
            result=result,
            number=number,
        )
    series = read(fleet)
    attempts = {channel: series[f"contact_attempt_total,channel={channel}"] for channel in Channel}
    assert attempts == {"phone": 2, "sms": 1, "im": 0}
    assert series["contact_answered_total,channel=phone"] == 1


@pytest.mark.parametrize("ending", ["done", "failed", "cancelled"])
def test_an_agents_counters_never_fall_whatever_becomes_of_a_step(fleet: Database, ending: str) -> None:
    order(fleet, "a")
    seen: list[tuple[float, float]] = []

    def look() -> None:
        series = read(fleet)
        seen.append((series["agent_request_total,agent=triage"], series["agent_error_total,agent=triage"]))

    def claim(work: UnitOfWork, delivery: int, seconds: float = 60) -> None:
        key = StepKey(step_id, delivery)
        lease = f"lease_{delivery}"
        assert work.steps.claim([key], lease_id=lease, holder="test", queue="triage", seconds=seconds)

    def change(work: UnitOfWork, state: str, delivery: int, tries: int) -> None:
        work.steps.change([StepChange(step_id=step_id, state=state, delivery=delivery, tries=tries)])

    with fleet.transaction() as work:
        new = NewStep(
            run_id="exec_a",
            subject_id="a",
            node="n",
            kind="action",
            queue="triage",
            action="triage.work",
            state="published",
        )
        step_id = work.steps.insert([new], work.clock.now().database_now)[0].step_id
    look()
    for happen in (
        lambda work: claim(work, 1, seconds=-1),
        lambda work: work.queues.rescue(3, 10),
        lambda work: claim(work, 2),
        lambda work: change(work, "ready", 3, 1),
        lambda work: claim(work, 3),
        lambda work: change(work, "parked", 3, 1),
        lambda work: change(work, ending, 3, 1),
    ):
        with fleet.transaction() as work:
            happen(work)
        look()
    assert seen == sorted(seen)
    assert seen[-1] == (3, 3 if ending == "failed" else 2)


def test_a_new_exporter_counts_on_where_the_last_one_ended(fleet: Database) -> None:
    order(fleet, "a")
    transition(fleet, "a", 1, "action_taken", "intent=暂缓", "waiting_followup")
    assert read(fleet)["task_total"] == read(fleet)["task_total"] == 1


def test_confidence_is_the_mean_of_the_last_business_hour(fleet: Database) -> None:
    order(fleet, "a")
    classified(fleet, "a", "0.5")
    classified(fleet, "a", "0.9", hours_ago=0.9)
    classified(fleet, "a", "0.1", hours_ago=1.1)
    assert read(fleet)["triage_confidence,intent_level1=暂缓"] == pytest.approx(0.7)


def test_an_audit_line_of_an_outside_agent_with_words_for_a_confidence_breaks_nothing(
    fleet: Database,
) -> None:
    order(fleet, "a")
    classified(fleet, "a", '"high"')
    audited(fleet, "a", "action_executed", '{"automatic": "yes"}')
    series = read(fleet)
    assert math.isnan(series["triage_confidence,intent_level1=暂缓"])
    assert math.isnan(series["action_auto_execute_rate"])


def test_the_automatic_share_leaves_out_orders_whose_fate_is_open(fleet: Database) -> None:
    for task_id, fate in (("a", "auto"), ("b", "auto"), ("c", "auto"), ("d", "person"), ("e", "open")):
        order(fleet, task_id)
        classified(fleet, task_id, "0.9")
        if fate == "auto":
            audited(fleet, task_id, "action_executed", '{"automatic": true}')
        if fate == "person":
            audited(fleet, task_id, "review_opened")
            audited(fleet, task_id, "action_executed", '{"automatic": false}')
    assert read(fleet)["action_auto_execute_rate"] == 0.75


def test_the_oldest_row_of_a_queue_has_waited_since_it_became_ready(fleet: Database) -> None:
    order(fleet, "a")
    with fleet.transaction() as work:
        now = work.clock.now().database_now
    # Priority 10 moves a row 20 minutes forward in its queue; it has waited 60 seconds all the same.
    urgency = now - timedelta(seconds=60 + 10 * 120)
    step(fleet, "a", "ready", priority=10, urgency=urgency)
    step(fleet, "a", "leased", lease_id="lease_a")
    series = read(fleet)
    assert series["queue_rows,queue=contact,state=ready"] == 1
    assert series["queue_rows,queue=contact,state=leased"] == 1
    assert 60 <= series["queue_oldest_seconds,queue=contact"] < 70


def test_rows_of_a_paused_run_do_not_wait_for_a_worker(fleet: Database) -> None:
    order(fleet, "a")
    step(fleet, "a", "ready", held=True, urgency=None)
    assert read(fleet)["queue_rows,queue=contact,state=ready"] == 0


def test_the_ledger_finds_an_order_that_nothing_moves_on(fleet: Database) -> None:
    order(fleet, "closed", "closed", run_ended=True)
    order(fleet, "open")
    step(fleet, "open", "scheduled")
    order(fleet, "in_review", "responded")
    review(fleet, "in_review")
    order(fleet, "lost")
    step(fleet, "lost", "done")
    series = read(fleet)
    ledger = {a: series[f"ledger,account={a}"] for a in ("in", "closed", "open", "in_review", "unaccounted")}
    assert ledger == {"in": 4, "closed": 1, "open": 1, "in_review": 1, "unaccounted": 1}
    assert (series["tasks_in_progress"], series["tasks_completed_today"]) == (3, 1)


def test_a_review_is_overdue_after_a_day_although_its_deadline_was_cleared(fleet: Database) -> None:
    for task_id, state, hours in (("a", "open", 0), ("b", "open", 25), ("c", "decided", 25)):
        order(fleet, task_id)
        review(fleet, task_id, state, hours)
    series = read(fleet)
    assert (series["reviews_open"], series["reviews_overdue"]) == (2, 1)


def test_alerts_are_counted_in_the_last_hour_and_until_they_are_handled(fleet: Database) -> None:
    for number, (hours, handled) in enumerate(((0, False), (0, True), (2, False))):
        write(
            fleet,
            "INSERT INTO alerts (alert_id, alert_type, severity, message, escalated_to, raised_at, handled_at) "
            "VALUES (:id, 'low_confidence', 'warning', 'm', 'quality_inspector', "
            "business_now() - make_interval(hours => :hours), "
            "CASE WHEN :handled THEN business_now() END)",
            id=f"ALT{number}",
            hours=hours,
            handled=handled,
        )
    series = read(fleet)
    assert (series["audit_alert_count"], series["alerts_active"]) == (2, 2)
    assert series["alerts_handled_today"] == 1


def test_while_postgresql_is_away_there_is_one_series_that_says_so() -> None:
    nobody = f"postgresql+psycopg://unpend:x@127.0.0.1:{free_port()}/unpend"
    with Database(nobody, Cipher(Cipher.new_key())) as away:
        assert read(away) == {"ops_exporter_up": 0}


def test_a_connection_lost_between_two_scrapes_costs_no_scrape(fleet: Database) -> None:
    read(fleet)
    with fleet.transaction() as work:
        work._connection.execute(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE pid <> pg_backend_pid() AND datname = current_database() AND state = 'idle'"
            )
        )
    assert read(fleet)["ops_exporter_up"] == 1


def test_scrapes_close_together_are_answered_from_one_reading(fleet: Database) -> None:
    moments = iter((0.0, 0.0, CACHE_SECONDS, CACHE_SECONDS + 0.1, CACHE_SECONDS + 0.1, CACHE_SECONDS + 0.1))
    collector = FleetCollector(fleet, now=lambda: next(moments))
    assert scrape(collector)["tasks_in_progress"] == 0
    order(fleet, "a")
    readings = [scrape(collector)["tasks_in_progress"] for _ in range(2)]
    assert readings == [0, 1]


def test_a_snapshot_cannot_write(fleet: Database) -> None:
    with pytest.raises(DBAPIError, match="read-only"), fleet.snapshot() as work:
        work._connection.execute(text("DELETE FROM alerts"))


def test_a_snapshot_gives_up_a_statement_that_takes_too_long(fleet: Database) -> None:
    with pytest.raises(StorageUnavailable), fleet.snapshot(statement_seconds=0.05) as work:
        work._connection.execute(text("SELECT pg_sleep(10)"))


def test_a_snapshot_sees_one_moment_throughout(fleet: Database) -> None:
    with fleet.snapshot() as work:
        before = work.figures.ledger().accepted
        order(fleet, "a")
        assert work.figures.ledger().accepted == before
    with fleet.snapshot() as work:
        assert work.figures.ledger().accepted == before + 1


@pytest.fixture
def address(fleet: Database) -> Iterator[str]:
    with ExporterServer(fleet, port=0) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.port}"
        server.stop()
        thread.join()


def get(url: str) -> Any:
    return urllib.request.urlopen(url, timeout=10)


def test_the_server_answers_prometheus(address: str) -> None:
    with get(f"{address}/metrics") as answer:
        assert answer.headers["Content-Type"].startswith("text/plain; version=")
        assert parse(answer.read().decode())["ops_exporter_up"] == 1


def test_the_server_says_that_it_lives(address: str) -> None:
    with get(f"{address}/health") as answer:
        assert answer.status == 200


def test_the_server_has_no_other_pages(address: str) -> None:
    with pytest.raises(urllib.error.HTTPError) as refused:
        get(f"{address}/")
    assert refused.value.code == 404
    refused.value.close()
