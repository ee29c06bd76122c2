"""What happened to a fleet, written as rows: for tests of what is read from them."""

from datetime import timedelta

from sqlalchemy import text

from runtime.ids import Prefix, new_id
from statemachine.orders.machine import TRANSITIONS, Transition
from statemachine.orders.states import State
from storage.core.database import Database
from storage.engine.clock import BusinessClock


def write(database: Database, *statements: str, **parameters: object) -> None:
    with database.transaction() as work:
        for statement in statements:
            work.connection.execute(text(statement), parameters)


def order(database: Database, task_id: str, status: str = "contacting", *, run_ended: bool = False) -> None:
    closed = "business_now()" if status == "closed" else "NULL"
    ended = "clock_timestamp()" if run_ended else "NULL"
    write(
        database,
        "INSERT INTO runs (run_id, workflow, version, subject_id, state, open_steps, finished_at) "
        f"VALUES (:run_id, 'pending_task', '1.0', :id, 'running', 1, {ended})",
        "INSERT INTO tasks (task_id, order_id, order_type, status, run_id, digest, source, finished_at) "
        f"VALUES (:id, :run_id, '未上门', :status, :run_id, '', 'http', {closed})",
        id=task_id,
        run_id=f"exec_{task_id}",
        status=status,
    )
    # Below 1, so that a test numbers its own from there.
    for version, move in enumerate(_way_to(State(status)), start=-20):
        transition(database, task_id, version, move.source, move.event, move.target)


def _way_to(state: State) -> tuple[Transition, ...]:
    """The shortest way from an order's first state to this one."""
    ways: dict[State, tuple[Transition, ...]] = {State.PENDING: ()}
    while state not in ways:
        for move in TRANSITIONS.values():
            if move.source in ways:
                ways.setdefault(move.target, (*ways[move.source], move))
    return ways[state]


def step(
    database: Database, task_id: str, state: str, *, queue: str | None = "contact", **columns: object
) -> None:
    given: dict[str, object] = {"kind": "action", "queue": queue, "action": f"{queue}.work", **columns}
    names, values = ", ".join(given), ", ".join(f":{column}" for column in given)
    write(
        database,
        "INSERT INTO steps (run_id, subject_id, node, state, "
        f"{names}) VALUES (:run_id, :id, 'node', :state, {values})",
        id=task_id,
        run_id=f"exec_{task_id}",
        state=state,
        **given,
    )


def record_done_step(database: Database, task_id: str, seconds: float, *, error: str | None = None) -> None:
    """A step that is done and took so long."""
    with database.transaction() as work:
        ended = BusinessClock(work).now().database_now
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
        "(:log_id, :id, :event_type, 'triage_agent', "
        "CAST(:metadata AS jsonb), business_now() - make_interval(secs => :seconds))",
        id=task_id,
        log_id=new_id(Prefix.LOG),
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
        "business_now() - make_interval(secs => :seconds) FROM steps WHERE run_id = :run_id "
        "AND kind = 'human' ORDER BY step_id DESC LIMIT 1",
        id=task_id,
        run_id=f"exec_{task_id}",
        state=state,
        seconds=hours_ago * 3600,
    )


def record_alert(database: Database, alert_type: str) -> None:
    """An alert that is raised now."""
    write(
        database,
        "INSERT INTO alerts (alert_id, alert_type, severity, message, escalated_to) "
        "VALUES (:id, :alert_type, 'warning', 'm', 'supervisor')",
        id=new_id(Prefix.ALERT),
        alert_type=alert_type,
    )
