"""Tells staff: takes the notices that are due, sends them, writes what came of it. A thread of the webhooks process.

Any number of these may run. A crash repeats at most what was under way, under the same key.
"""

import asyncio
import random
import threading
import time
from collections.abc import AsyncIterator, Collection
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from runtime.logs import logger
from runtime.mask import mask_text
from runtime.settings import Settings
from storage.core.database import Database
from storage.core.unavailable import StorageUnavailable
from storage.outbound.notices import Notices, NoticeTry, TakenNotice
from tasks.outbound.messages import PAUSES, pause_after
from tools.notices.contract import NoticeNotSent, NoticeOutcome, NoticeRefused, NoticeSent
from tools.notices.routing import NoticeRoutes, open_notices

_log = logger(__name__)

_REFUSED_SECONDS: Final = 600.0
"""A refusal is tried again no sooner: somebody may have corrected the secret or the group by then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticePace:
    """How fast, how much, how patient."""

    poll_seconds: float = 1.0
    most_at_once: int = 8
    pauses: tuple[timedelta, ...] = PAUSES


class NoticeSender:
    """Takes, sends and concludes in the thread that calls `run`, until it is told to stop."""

    def __init__(self, database: Database, routes: NoticeRoutes, pace: NoticePace | None = None) -> None:
        self._database = database
        self._routes = routes
        self._pace = pace or NoticePace()
        self._stopping = threading.Event()
        self._declared = False
        self._resting: dict[str, float] = {}
        self._ended: list[NoticeTry] = []

    def stop(self) -> None:
        """Take nothing more; `run` ends when what is under way has ended, which is bounded by the deadline."""
        self._stopping.set()

    def run(self) -> None:
        """Work until `stop`, or until it is known that nobody is to be told. Waits while PostgreSQL is away."""
        with ThreadPoolExecutor(self._pace.most_at_once, thread_name_prefix="notice") as pool:
            while not self._stopping.is_set():
                try:
                    busy = self._round(pool)
                except StorageUnavailable as error:
                    _log.warning("notices wait for PostgreSQL", error=mask_text(str(error)))
                    busy = False
                if self._declared and not self._routes.ways:
                    return
                if not busy:
                    self._stopping.wait(self._pace.poll_seconds)
        self._finish()

    def _round(self, pool: ThreadPoolExecutor) -> bool:
        if not self._declared:
            self._declare()
        self._conclude()
        roles = self._awake()
        if not roles:
            return False
        with self._database.transaction() as work:
            taken = Notices(work).take(roles, self._pace.most_at_once)
        self._ended += pool.map(self._send, taken)
        self._conclude()
        return bool(taken)

    def _declare(self) -> None:
        with self._database.transaction() as work:
            Notices(work).declare(self._routes.ways)
        self._declared = True

    def _awake(self) -> Collection[str]:
        """The roles whose provider has not asked to be left alone."""
        now = time.monotonic()
        return [
            role for role, way in self._routes.ways.items() if self._resting.get(way.provider, 0.0) <= now
        ]

    def _send(self, taken: TakenNotice) -> NoticeTry:
        way = self._routes.ways[taken.to_role]
        outcome = way.gateway.send(
            way.notice(key=taken.key, title=taken.title, text=taken.text, recipient=taken.recipient)
        )
        if isinstance(outcome, NoticeSent):
            return NoticeTry(
                notice_id=taken.notice_id,
                tries=taken.tries,
                provider=way.provider,
                provider_id=outcome.provider_id or None,
            )
        if isinstance(outcome, NoticeNotSent) and outcome.retry_after_seconds:
            self._resting[way.provider] = time.monotonic() + outcome.retry_after_seconds
        _log.info(
            "notice not sent",
            key=taken.key,
            role=taken.to_role,
            provider=way.provider,
            tries=taken.tries,
            outcome=type(outcome).__name__,
            error=outcome.reason,
        )
        return NoticeTry(
            notice_id=taken.notice_id,
            tries=taken.tries,
            provider=way.provider,
            error=outcome.reason,
            after_seconds=self._pause(taken.tries, outcome),
        )

    def _pause(self, tries: int, outcome: NoticeOutcome) -> float:
        asked = outcome.retry_after_seconds if isinstance(outcome, NoticeNotSent) else None
        chance = random.random()  # noqa: S311 - spreads retries, keeps no secret
        pause = pause_after(tries, asked, chance, self._pace.pauses).total_seconds()
        return max(pause, _REFUSED_SECONDS) if isinstance(outcome, NoticeRefused) else pause

    def _conclude(self) -> None:
        if not self._ended:
            return
        with self._database.transaction() as work:
            concluded = Notices(work).conclude(self._ended)
        self._ended = []
        for notice in concluded:
            if notice.state == "given_up":
                # No alert: it would become a notice, perhaps by the very way that does not work.
                _log.error("notice given up after a day", key=notice.key, role=notice.to_role)

    def _finish(self) -> None:
        try:
            self._conclude()
        except StorageUnavailable as error:
            _log.warning("the last notices will be sent again", error=mask_text(str(error)))


@asynccontextmanager
async def telling_staff(database: Database, settings: Settings) -> AsyncIterator[None]:
    """Send notices in a thread for as long as the block runs; a fault of the thread ends the block.

    Raises:
        PolicyFileError: `config/notices.yaml` cannot be used.
        NoticeSecretMissing: it names a secret that is not set.
    """
    routes = open_notices(settings.config_folder, settings.notice_secrets)
    sender = NoticeSender(database, routes)
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(asyncio.to_thread(sender.run))
            try:
                yield
            finally:
                sender.stop()
    finally:
        routes.close()
