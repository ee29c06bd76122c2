"""The ways to staff of one process: their routes, and which providers have asked to be left alone."""

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from storage.outbound.notices import WaitingNotice
from tasks.im.cards import CardButton
from tasks.outbound.messages import PAUSES
from tools.notices.contract import Notice, NoticeButton, NoticeNotSent, NoticeOutcome
from tools.notices.routing import NoticeRoute, NoticeRoutes

MOST_AT_ONCE: Final = 8
"""Notices that are sent at the same time; a batch has no more."""


@dataclass(frozen=True, slots=True)
class DueNotice:
    """A notice that is to be sent now, and the buttons of the question it brings."""

    waiting: WaitingNotice
    buttons: Sequence[CardButton] = ()


def _no_routes() -> NoticeRoutes:
    return NoticeRoutes({})


@dataclass(slots=True)
class StaffNotices:
    """Sends batches of notices. The routes are opened when they are first asked for."""

    open_routes: Callable[[], NoticeRoutes] = _no_routes
    pauses: tuple[timedelta, ...] = PAUSES
    _routes: NoticeRoutes | None = None
    _resting_until: dict[str, float] = field(default_factory=dict)

    @property
    def routes(self) -> NoticeRoutes:
        """Every role that receives notices, with its way.

        Raises:
            PolicyFileError: `config/notices.yaml` cannot be used.
            NoticeSecretMissing: it names a secret that is not set.
        """
        if self._routes is None:
            self._routes = self.open_routes()
        return self._routes

    def way(self, role: str) -> NoticeRoute | None:
        """The way to this role; `None` when it receives no notices."""
        return self.routes.ways.get(role)

    def rest_of(self, provider: str) -> float:
        """For how many seconds more this provider wants to be left alone."""
        return max(self._resting_until.get(provider, 0.0) - time.monotonic(), 0.0)

    def send_all(self, notices: Mapping[int, DueNotice]) -> Mapping[int, NoticeOutcome]:
        """Send these at the same time; what is void, has no way or whose provider rests is not in the answer."""
        ways = {
            step_id: way
            for step_id, notice in notices.items()
            if not notice.waiting.is_void
            and (way := self.way(notice.waiting.to_role)) is not None
            and not self.rest_of(way.provider)
        }
        if not ways:
            return {}
        with ThreadPoolExecutor(MOST_AT_ONCE, thread_name_prefix="notice") as pool:
            outcomes = dict(
                zip(
                    ways,
                    pool.map(lambda step_id: self._send(ways[step_id], notices[step_id]), ways),
                    strict=True,
                )
            )
        for step_id, outcome in outcomes.items():
            if isinstance(outcome, NoticeNotSent) and outcome.retry_after_seconds:
                self._resting_until[ways[step_id].provider] = time.monotonic() + outcome.retry_after_seconds
        return outcomes

    def close(self) -> None:
        """Close every provider's connections."""
        if self._routes is not None:
            self._routes.close()
            self._routes = None

    def _send(self, way: NoticeRoute, due: DueNotice) -> NoticeOutcome:
        return way.gateway.send(self._made(way, due))

    def _made(self, way: NoticeRoute, due: DueNotice) -> Notice:
        """The notice as it is sent: of a question a card, or a text with the address of its page."""
        notice, words = due.waiting, due.waiting.text
        if notice.interrupt_id is not None:
            words = f"{words}\n{self.routes.page_of(notice.interrupt_id)}"
        if notice.account is None:
            return way.notice(
                key=notice.key,
                title=notice.title,
                text=words,
                trace_id=notice.trace_id,
                recipient=notice.recipient,
            )
        return way.card(
            key=notice.key,
            title=notice.title,
            text=words,
            trace_id=notice.trace_id,
            account=notice.account,
            buttons=[NoticeButton(each.label, each.value) for each in due.buttons],
        )
