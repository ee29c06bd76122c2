"""Workers that send notices, in threads over a real database, and the verbs a test of them needs."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from sqlalchemy import text

from schemas.people.effects import AlertRaised
from storage.core.database import Database
from storage.outbound.notices import Notices, StaffNotice
from storage.people.alerts import Alerts
from tasks.outbound.context import OutboundContext, QuestionCards, no_card
from tasks.outbound.notifying import StaffNotices
from tests.support.outbound.worker import outbound_workers
from tests.support.providers import feishu, group_bots
from tools.notices.contract import NoticeGateway
from tools.notices.dingtalk_bot import DingtalkBot
from tools.notices.feishu_app import FeishuAccount, FeishuApp
from tools.notices.routing import NoticeRoute, NoticeRoutes

ADDRESS = "https://unpend.example"
FAST = (timedelta(milliseconds=30),)


def through_app(address: str, *roles: str) -> NoticeRoutes:
    """These roles by one Feishu app."""
    account = FeishuAccount(feishu.APP_ID, feishu.APP_SECRET, "user_id")
    gateway: NoticeGateway = FeishuApp(address, account, setting="x")
    to = {"engineer": "{engineer_id}"}
    return NoticeRoutes(
        {role: NoticeRoute("app", gateway, to.get(role, role), "feishu") for role in roles}, ADDRESS
    )


def through_dingtalk(address: str, *roles: str) -> NoticeRoutes:
    """These roles by one DingTalk bot."""
    gateway: NoticeGateway = DingtalkBot(address, group_bots.TOKEN, group_bots.SECRET, setting="x")
    return NoticeRoutes({role: NoticeRoute("duty", gateway, "") for role in roles})


def raised(severity: str = "critical", role: str = "duty_manager", message: str = "m") -> AlertRaised:
    """An alert."""
    return AlertRaised(
        alert_type="timeout",
        severity=severity,  # type: ignore[arg-type]
        message=message,
        task_id="HT1",
        escalated_to=role,
    )


@dataclass(slots=True)
class NoticeSenderAtWork:
    """Everything a test does to notices."""

    database: Database

    def declare(self, *roles: str, messenger: str | None = None) -> None:
        with self.database.transaction() as work:
            Notices(work).declare(roles, dict.fromkeys(roles, messenger) if messenger else {})

    def alert(self, severity: str = "critical", role: str = "duty_manager", message: str = "m") -> str:
        """Raise an alert; its id."""
        with self.database.transaction() as work:
            (alert_id,) = Alerts(work).raise_all([raised(severity, role, message)])
        return alert_id

    def log(self) -> list[StaffNotice]:
        with self.database.transaction() as work:
            return Notices(work).log(limit=1000)

    def states(self) -> list[str]:
        return sorted(notice.state for notice in self.log())

    def left_alone(self) -> list[str]:
        """The notices whose step waits for its provider without having been tried."""
        with self.database.transaction() as work:
            found = work.connection.execute(
                text("SELECT subject_id FROM steps WHERE error->>'message' = 'the provider is left alone'")
            )
            return list(found.scalars())

    def change(self, statement: str) -> None:
        with self.database.transaction() as work:
            work.connection.execute(text(statement))


@contextmanager
def senders(database: Database, *routes: NoticeRoutes, card: QuestionCards = no_card) -> Iterator[None]:
    """A worker for each of these routes."""
    contexts = [
        OutboundContext(notices=StaffNotices(partial(_same, each), FAST), card=card) for each in routes
    ]
    with outbound_workers(database, contexts):
        yield


def _same(routes: NoticeRoutes) -> NoticeRoutes:
    return routes
