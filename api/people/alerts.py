"""The routes of alerts: what a person should look at, who looked, what is dealt with (SPEC.md §6)."""

from typing import Annotated, Literal, cast

from fastapi import APIRouter, Path, Query

from api.server.actor import actor
from api.server.authentication import requires
from api.server.cursor import Cursor, cursor_of, place_of
from api.server.errors import documented
from api.server.refusal import Refusal, unknown
from api.server.route import Route
from api.server.services import Caller, GivenParts
from schemas.access.scopes import Scope
from schemas.core.error import Code
from schemas.core.form import Text
from schemas.core.identifier import Identifier
from schemas.people.alerts import AlertList, AlertStatus, AlertView, AttentionPaid, AttentionTaken
from storage.people.alerts import Alert, AlertFilter
from tasks.people.alerts import Attention, acknowledge, resolve
from tasks.people.alerts import list_alerts as find_alerts

router = APIRouter(prefix="/alerts", tags=["people"], route_class=Route)

AlertId = Annotated[Identifier, Path(description="The alert's id.")]


@router.get("", summary="What a person should look at", dependencies=[requires(Scope.READ)])
def list_alerts(
    parts: GivenParts,
    status: Annotated[AlertStatus | None, Query(description="That stand so.")] = None,
    alert_type: Annotated[
        Text | None, Query(alias="type", max_length=64, description="Of this type.")
    ] = None,
    severity: Annotated[
        Literal["info", "warning", "critical"] | None, Query(description="As grave as this.")
    ] = None,
    task_id: Annotated[Text | None, Query(max_length=64, description="About this task only.")] = None,
    escalated_to: Annotated[Text | None, Query(max_length=32, description="For this role only.")] = None,
    limit: Annotated[int, Query(ge=1, le=500, description="Alerts a page may have.")] = 100,
    cursor: Cursor = None,
) -> AlertList:
    """The newest first, page by page."""
    wanted = AlertFilter(
        status=status,
        alert_type=alert_type,
        severity=severity,
        task_id=task_id,
        escalated_to=escalated_to,
    )
    found = find_alerts(parts.database, wanted, after=place_of(cursor), limit=limit + 1)
    page = found[:limit]
    more = len(found) > limit
    return AlertList(
        alerts=[_view(alert) for alert in page],
        next_cursor=cursor_of((page[-1].raised_at, page[-1].alert_id)) if more else None,
    )


@router.post(
    "/{alert_id}/acknowledge",
    summary="Look into an alert",
    dependencies=[requires(Scope.ALERTS)],
    responses=documented(Code.NOT_FOUND, Code.STATE_CONFLICT),
)
def acknowledge_alert(
    alert_id: AlertId, body: AttentionPaid, parts: GivenParts, caller: Caller
) -> AttentionTaken:
    """Somebody has seen it. Again answers 200 and changes nothing; after it was resolved, 409."""
    by = actor(caller, body.by)
    return _taken(alert_id, *acknowledge(parts.database, alert_id, by=by, note=body.note))


@router.post(
    "/{alert_id}/resolve",
    summary="Be done with an alert",
    dependencies=[requires(Scope.ALERTS)],
    responses=documented(Code.NOT_FOUND),
)
def resolve_alert(
    alert_id: AlertId, body: AttentionPaid, parts: GivenParts, caller: Caller
) -> AttentionTaken:
    """What it was about is dealt with, which is final. Again answers 200 and changes nothing."""
    by = actor(caller, body.by)
    return _taken(alert_id, *resolve(parts.database, alert_id, by=by, note=body.note))


def _taken(alert_id: str, outcome: Attention, alert: Alert | None) -> AttentionTaken:
    if alert is None:
        raise unknown("alert", alert_id)
    if outcome is Attention.RESOLVED:
        raise Refusal(
            Code.STATE_CONFLICT,
            f"the alert was resolved by '{alert.handled_by}', which is final",
            details={"alert_id": alert_id, "alert_status": alert.status, "handled_by": alert.handled_by},
        )
    return AttentionTaken(
        outcome="repeated" if outcome is Attention.REPEATED else "applied", alert=_view(alert)
    )


def _view(alert: Alert) -> AlertView:
    return AlertView(
        alert_id=alert.alert_id,
        alert_type=alert.alert_type,
        task_id=alert.task_id,
        severity=alert.severity,
        message=alert.message,
        metadata=dict(alert.metadata),
        escalated_to=alert.escalated_to,
        status=cast("AlertStatus", alert.status),
        raised_at=alert.raised_at,
        handled_at=alert.handled_at,
        handled_by=alert.handled_by,
        note=alert.note,
    )
