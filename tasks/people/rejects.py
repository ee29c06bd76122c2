"""Refused input at any entry point: kept whole, with one alert a day and entry point until somebody has looked."""

from collections.abc import Mapping, Sequence
from typing import Final

from schemas.orders.effects import AlertRaised
from storage.core.unit_of_work import UnitOfWork
from storage.people.alerts import Alerts
from storage.people.rejects import NewReject, Rejects

_KIND: Final = "intake_rejected"
_ENTRY_POINTS: Final[Mapping[str, str]] = {
    "http": "HTTP 接口",
    "stream": "消息流",
    "queue": "消息队列",
    "command": "命令行",
}


def keep(work: UnitOfWork, rejects: Sequence[NewReject]) -> None:
    """Keep what one entry point has refused, with its alert; what waits already has one."""
    new = Rejects(work).keep(rejects)
    if not new:
        return
    entry_point = rejects[0].source
    standing = Alerts(work).fresh(_KIND, entry_point)
    if standing is None:
        Alerts(work).raise_all([_alert(new, entry_point)])
        return
    again = _alert(new + int(standing.metadata["count"]), entry_point)
    Alerts(work).restate(standing.alert_id, again.message, again.metadata)


def _alert(count: int, entry_point: str) -> AlertRaised:
    return AlertRaised(
        alert_type=_KIND,
        severity="warning",
        message=f"来自{_ENTRY_POINTS[entry_point]}的 {count} 条任务无法受理, 已保留待更正",
        escalated_to="operations",
        metadata={"count": count, "source": entry_point},
    )
