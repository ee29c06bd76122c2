"""Refused input at any door: kept whole, and one alert a day and door tells of it until somebody has looked."""

from collections.abc import Mapping, Sequence
from typing import Final

from schemas.people.effects import AlertRaised
from storage.core.unit_of_work import UnitOfWork
from storage.people.alerts import Alerts
from storage.people.rejects import NewReject, Rejects

_KIND: Final = "intake_rejected"
_DOORS: Final[Mapping[str, str]] = {
    "http": "HTTP 接口",
    "stream": "消息流",
    "queue": "消息队列",
    "command": "命令行",
}


def keep(work: UnitOfWork, rejects: Sequence[NewReject]) -> None:
    """Keep what one door has refused, with the alert that tells of it; what waits already is told of already."""
    new = Rejects(work).keep(rejects)
    if not new:
        return
    door = rejects[0].source
    standing = Alerts(work).fresh(_KIND, door)
    if standing is None:
        Alerts(work).raise_all([_alert(new, door)])
        return
    told = _alert(new + int(standing.metadata["count"]), door)
    Alerts(work).restate(standing.alert_id, told.message, told.metadata)


def _alert(count: int, door: str) -> AlertRaised:
    return AlertRaised(
        alert_type=_KIND,
        severity="warning",
        message=f"来自{_DOORS[door]}的 {count} 条任务无法受理, 已保留待更正",
        escalated_to="operations",
        metadata={"count": count, "source": door},
    )
