"""Stores rejects of any entry point, with one alert a day and entry point until somebody has handled it."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from engine.engine import Engine
from engine.rescue.isolation import Fault, isolated
from runtime.mask import mask_text
from schemas.core.problems import Problem
from schemas.people.effects import AlertRaised
from storage.core.database import Database
from storage.core.unit_of_work import UnitOfWork
from storage.people.alerts import Alerts
from storage.people.rejects import NewReject, Reject, Rejects

_KIND: Final = "intake_rejected"
_ENTRY_POINTS: Final[Mapping[str, str]] = {
    "http": "HTTP 接口",
    "stream": "消息流",
    "queue": "消息队列",
    "command": "命令行",
    "trigger": "触发器",
}


def list_rejects(
    database: Database,
    *,
    state: str | None = None,
    source: str | None = None,
    after: tuple[datetime, str] | None = None,
    limit: int = 100,
) -> Sequence[Reject]:
    """Refused inputs, the newest first, from behind the place (`rejected_at`, `reject_id`) on."""
    with database.transaction() as work:
        return Rejects(work).list(state=state, source=source, after=after, limit=limit)


def find_reject(database: Database, reject_id: str) -> Reject | None:
    """The refused input with this id."""
    with database.transaction() as work:
        return Rejects(work).find(reject_id)


def shown_problems(reject: Reject) -> list[Problem]:
    """What is wrong with it; how upstream named its fields may be anything, a phone number too."""
    return [masked_problem(Problem(**problem)) for problem in reject.problems]


def masked_problem(problem: Problem) -> Problem:
    """A problem whose field's name shows no number."""
    return Problem(field=mask_text(problem.field), message=problem.message)


def keep(work: UnitOfWork, rejects: Sequence[NewReject]) -> None:
    """Keep what was refused at one entry point, and raise or update its alert; what waits already raises none."""
    new = Rejects(work).keep(rejects)
    if not new:
        return
    entry_point = rejects[0].source
    raised = Alerts(work).fresh(_KIND, entry_point)
    if raised is None:
        Alerts(work).raise_all([_alert(new, entry_point)])
        return
    updated = _alert(new + int(raised.metadata["count"]), entry_point)
    Alerts(work).update_message(raised.alert_id, updated.message, updated.metadata)


def keep_alone(engine: Engine, reject: NewReject) -> None:
    """Keep one in a transaction of its own; where even that cannot be stored, its text in plain ASCII."""

    def kept(reject: NewReject) -> None:
        with engine.transaction() as transaction:
            keep(transaction.work, [reject])

    if isinstance(isolated(lambda: kept(reject)), Fault):
        kept(replace(reject, task_id=None, order_id=None, payload=ascii(reject.payload)))


def _alert(count: int, entry_point: str) -> AlertRaised:
    return AlertRaised(
        alert_type=_KIND,
        severity="warning",
        message=f"来自{_ENTRY_POINTS[entry_point]}的 {count} 条任务无法受理, 已保留待更正",
        escalated_to="operations",
        metadata={"count": count, "source": entry_point},
    )
