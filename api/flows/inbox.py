"""The routes by which events, messages and signals come in, and the one that shows schedules."""

from fastapi import APIRouter

from api.server.authentication import requires
from api.server.errors import documented
from api.server.parts import Parts
from api.server.refusal import invalid
from api.server.route import Route
from api.server.services import Caller, GivenParts, TraceName
from engine.triggers.dispatch import InboxDispatcher
from runtime.logs import logger
from schemas.access.scopes import Scope
from schemas.core.error import Code
from schemas.core.times.cron import CronExpression
from schemas.flows.inbox import (
    EntryTaken,
    EventSent,
    MessageSent,
    ScheduleList,
    ScheduleView,
    SignalSent,
)
from statemachine.workflow.options.triggers import TriggerKind
from statemachine.workflow.states import InboxState
from storage.core.unavailable import StorageUnavailable
from storage.engine.triggers.inbox import Inbox, NewInboxEntry
from storage.engine.triggers.schedules import ScheduleRow, Schedules

router = APIRouter(tags=["triggers"], route_class=Route)

_log = logger(__name__)


@router.post(
    "/events",
    status_code=202,
    summary="Tell what has happened",
    dependencies=[requires(Scope.TASKS)],
    responses=documented(Code.PAYLOAD_TOO_LARGE),
)
def send_event(body: EventSent, parts: GivenParts, caller: Caller, trace_id: TraceName) -> EntryTaken:
    """Begins a run of each workflow with a trigger for an event of this name; committed when it answers."""
    if body.name in parts.engine.registry.needs:
        raise invalid([("name", f"'{body.name}' comes in by POST /v1/tasks")])
    return take(parts, _entry(TriggerKind.EVENT, body, caller.agent_id, trace_id))


@router.post(
    "/messages",
    status_code=202,
    summary="Tell one who waits for it",
    dependencies=[requires(Scope.TASKS)],
    responses=documented(Code.PAYLOAD_TOO_LARGE),
)
def send_message(body: MessageSent, parts: GivenParts, caller: Caller, trace_id: TraceName) -> EntryTaken:
    """Reaches the oldest step that waits for this name and key, and begins what has a trigger for the name.

    Where there is neither, it is kept for `ttl_seconds`, and the first that waits gets it.
    """
    entry = _entry(
        TriggerKind.MESSAGE, body, caller.agent_id, trace_id, key=body.key, ttl_seconds=body.ttl_seconds
    )
    return take(parts, entry)


@router.post(
    "/signals",
    status_code=202,
    summary="Tell all who wait for it now",
    dependencies=[requires(Scope.TASKS)],
    responses=documented(Code.PAYLOAD_TOO_LARGE),
)
def broadcast_signal(body: SignalSent, parts: GivenParts, caller: Caller, trace_id: TraceName) -> EntryTaken:
    """Reaches every step that waits for this name, and begins what has a trigger for it. It is not kept."""
    return take(parts, _entry(TriggerKind.SIGNAL, body, caller.agent_id, trace_id))


@router.get("/schedules", summary="What begins by the clock", dependencies=[requires(Scope.READ)])
def list_schedules(parts: GivenParts) -> ScheduleList:
    """The schedules of the versions that new runs begin with; their times are those of the business clock."""
    with parts.database.transaction() as work:
        return ScheduleList(schedules=[_schedule(row) for row in Schedules(work).all()])


def take(parts: Parts, entry: NewInboxEntry) -> EntryTaken:
    """Keep an entry and dispatch it; once it is kept, the fleet dispatches it where this cannot.

    Raises:
        StorageUnavailable: PostgreSQL went away before it was certainly kept.
    """
    with parts.database.transaction() as work:
        (added,) = Inbox(work).add([entry])
    try:
        found = InboxDispatcher(parts.engine).at_once([added.entry_id])[added.entry_id]
    except StorageUnavailable as error:
        _log.warning("an entry is left to the tick", entry_id=added.entry_id, error=str(error))
        return EntryTaken(
            entry_id=added.entry_id,
            runs=[],
            receivers=0,
            kept=False,
            refused=0,
            dispatched=False,
            repeated=added.repeated,
        )
    return EntryTaken(
        entry_id=found.entry_id,
        runs=list(found.result.runs),
        receivers=found.result.receivers,
        kept=found.state is InboxState.KEPT,
        refused=found.result.refused,
        dispatched=found.state is not InboxState.WAITING,
        repeated=added.repeated,
    )


def _entry(
    kind: TriggerKind,
    body: SignalSent,
    sent_by: str,
    trace_id: str,
    *,
    key: str = "",
    ttl_seconds: float | None = None,
) -> NewInboxEntry:
    return NewInboxEntry(
        kind=kind,
        name=body.name,
        key=key,
        payload=body.payload,
        source_id=body.id,
        sent_by=sent_by,
        trace_id=trace_id,
        occurred_at=body.occurred_at,
        ttl_seconds=ttl_seconds,
    )


def _schedule(row: ScheduleRow) -> ScheduleView:
    return ScheduleView(
        workflow=row.workflow,
        version=row.version,
        cron=row.cron,
        words=CronExpression.read(row.cron).words,
        timezone=row.timezone,
        next_due=row.next_due,
        last_due=row.last_due,
        last_run_id=row.last_run_id,
        queued=list(row.queued),
    )
