"""The audit agent's routes: lines of the log, alerts, and reading what was logged (seed 000 section 四 5️⃣)."""

from datetime import datetime, timedelta
from typing import Annotated, Final

from fastapi import APIRouter, Query

from api.orders.services import GivenOrdersParts
from api.server.authentication import requires
from api.server.cursor import Cursor, cursor_of, place_of
from api.server.errors import documented
from api.server.refusal import invalid, unknown
from api.server.route import Route
from api.server.services import Caller, GivenParts, RequestName
from runtime.mask import mask_json, mask_text
from schemas.access.scopes import Scope
from schemas.core.error import Code
from schemas.core.form import GivenMoment
from schemas.core.identifier import Identifier
from schemas.orders.agents.audit import (
    AlertSent,
    AlertTaken,
    LineList,
    LineLogged,
    LineStored,
    LoggedLine,
    Word,
)
from schemas.orders.effects import Audit
from schemas.people.effects import AlertRaised
from storage.core.unit_of_work import UnitOfWork
from storage.engine.clock import BusinessClock
from storage.orders.audit_logs import AuditFilter, AuditLine, AuditLogs, AuditPlace
from storage.orders.order import Order
from storage.orders.orders import Orders
from storage.orders.timeline import Timeline
from storage.people.alerts import Alerts
from tasks.orders.calls.calling import begin
from tasks.orders.calls.table import call_of_tool
from tasks.orders.upkeep.audit_lines import audit_lines
from tasks.people.escalation import escalated_to

router = APIRouter(tags=["audit"], route_class=Route)

COMPLETED: Final = "task_completed"
REPORTED: Final = frozenset({"action_executed", COMPLETED})
"""What the fleet writes and an outside agent reports as well (seed 000 section 四 5️⃣, section 七)."""
FLEETS_OWN: Final = (
    "action_", "alert_", "approval_", "contact_", "followup_", "intent_", "personal_data_", "review_", "signal_",
    "task_", "undo_", "validation_",
)  # fmt: skip
"""How the types begin that the fleet writes; tests hold every one of them against this."""
_AHEAD: Final = timedelta(days=1)
_BACK: Final = timedelta(hours=1)
_LONGEST_WORD: Final = 32
_LARGEST_POSITION: Final = 2**63 - 1


@router.post(
    "/audit/log",
    name="log_line_short",
    summary="Log a line (short form)",
    dependencies=[requires(Scope.AUDIT)],
    responses=documented(Code.NOT_FOUND),
)
@router.post(
    "/agents/audit/log",
    summary="Log a line",
    dependencies=[requires(Scope.AUDIT)],
    responses=documented(Code.NOT_FOUND),
)
def log_line(
    body: LineLogged, parts: GivenOrdersParts, caller: Caller, request_id: RequestName
) -> LineStored:
    """Append a line to an order's audit log, for whichever agent acted.

    In a manual order whose action was carried out, `task_completed` also closes it. Whose key it came with is kept
    in `metadata.logged_by`. Lines are never changed or removed. Types that the fleet writes itself are refused, but
    `action_executed` and `task_completed`. A `timestamp` may lie an hour back at most; in a manual order, whose
    caller owns the timing, it is kept as it is given, beside `created_at`.
    """
    with parts.database.transaction() as work:
        order = Orders(work).find([body.task_id]).get(body.task_id)
        if order is None:
            raise unknown("task", body.task_id)
        _require_credible(body, order, BusinessClock(work).now().business_now)
        line = Audit(
            task_id=body.task_id,
            event_type=_masked(body.event_type),
            agent_id=_masked(body.agent_id),
            action=None if body.action is None else _masked(body.action),
            metadata=mask_json(parts.personal.mask(body.metadata))
            | {"logged_by": caller.agent_id, "request_id": request_id},
        )
        log_id = AuditLogs(work).write(line, at=body.timestamp)
    if body.event_type == COMPLETED:
        # In a manual order whose action was carried out, this is the call for its last step.
        begin(
            parts.engine,
            parts.context,
            call_of_tool("log_event", task_id=body.task_id, agent_id=caller.agent_id, parameters={}),
        )
    return LineStored(log_id=log_id)


@router.post(
    "/agents/audit/alert",
    summary="Raise an alert",
    dependencies=[requires(Scope.AUDIT)],
    responses=documented(Code.NOT_FOUND),
)
def raise_alert(body: AlertSent, parts: GivenParts, caller: Caller, request_id: RequestName) -> AlertTaken:
    """Have a person look at something; `escalated_to` is the role that does, by the type and the severity."""
    role = escalated_to(body.alert_type, body.severity)
    source = {"raised_by": caller.agent_id, "request_id": request_id}
    alert = AlertRaised(
        alert_type=_masked(body.alert_type),
        severity=body.severity,
        message=mask_text(body.message),
        task_id=body.task_id,
        escalated_to=role,
        metadata=mask_json(parts.personal.mask(body.metadata)) | source,
    )
    with parts.database.transaction() as work:
        if body.task_id is not None:
            _require_order(work, body.task_id)
        (alert_id,) = Alerts(work).raise_all([alert])
        if body.task_id is not None:
            Timeline(work).audit([_alerted(alert, body.task_id, caller.agent_id, alert_id, request_id)])
    return AlertTaken(alert_id=alert_id, escalated_to=role)


@router.get("/agents/audit/logs", summary="Lines of the audit log", dependencies=[requires(Scope.READ)])
def find_lines(
    parts: GivenParts,
    task_id: Annotated[Identifier | None, Query(description="Of this order only.")] = None,
    event_type: Annotated[Word | None, Query(description="Of this type of event only.")] = None,
    agent_id: Annotated[Word | None, Query(description="Of this acting agent only.")] = None,
    action: Annotated[Word | None, Query(description="Of this action only.")] = None,
    since: Annotated[GivenMoment | None, Query(alias="from", description="Not before this moment.")] = None,
    until: Annotated[GivenMoment | None, Query(alias="to", description="Before this moment.")] = None,
    cursor: Cursor = None,
    limit: Annotated[int, Query(ge=1, le=500, description="Lines a page may have.")] = 100,
) -> LineList:
    """Newest first; lines of one moment in the order they were written, the last first. No phone is shown."""
    wanted = AuditFilter(
        task_id=task_id,
        event_type=event_type,
        agent_id=agent_id,
        action=action,
        since=since,
        until=until,
    )
    before = _place(cursor)
    page, last = audit_lines(parts.database, wanted, before=before, limit=limit)
    return LineList(
        logs=[_view(line) for line in page],
        next_cursor=None if last is None else cursor_of((last.at, str(last.position))),
    )


def _require_order(work: UnitOfWork, task_id: str) -> None:
    if task_id not in Orders(work).find([task_id]):
        raise unknown("task", task_id)


def _require_credible(body: LineLogged, order: Order, now: datetime) -> None:
    """Let nobody write what reads as if the fleet had written it, or as if it had been written before.

    Raises:
        Refusal: it would (422).
    """
    if body.event_type.startswith(FLEETS_OWN) and body.event_type not in REPORTED:
        raise invalid([("event_type", "is of a kind that the fleet writes itself; name it otherwise")])
    if body.timestamp is None:
        return
    if body.timestamp > now + _AHEAD:
        raise invalid([("timestamp", "lies more than a day ahead of the business clock")])
    if order.mode != "manual" and body.timestamp < now - _BACK:
        raise invalid(
            [("timestamp", "lies more than an hour back; leave it out, and say in metadata when it was")]
        )


def _masked(word: str) -> str:
    """A word as it may be stored: the mask of a short number may be longer than the number."""
    return mask_text(word)[:_LONGEST_WORD]


def _alerted(alert: AlertRaised, task_id: str, agent_id: str, alert_id: str, request_id: str) -> Audit:
    return Audit(
        task_id=task_id,
        event_type="alert_raised",
        agent_id=agent_id,
        action=alert.alert_type,
        metadata={
            "alert_id": alert_id,
            "severity": alert.severity,
            "escalated_to": alert.escalated_to,
            "request_id": request_id,
        },
    )


def _place(cursor: str | None) -> AuditPlace | None:
    place = place_of(cursor)
    if place is None:
        return None
    at, position = place
    if not (position.isascii() and position.isdigit() and int(position) <= _LARGEST_POSITION):
        raise invalid([("cursor", "is not the next_cursor of this list")])
    return AuditPlace(at, int(position))


def _view(line: AuditLine) -> LoggedLine:
    return LoggedLine(
        log_id=line.log_id,
        task_id=line.task_id,
        event_type=line.event_type,
        agent_id=line.agent_id,
        action=line.action,
        timestamp=line.at,
        created_at=line.created_at,
        key_id=line.key_id,
        label=line.label,
        metadata=line.metadata,
    )
