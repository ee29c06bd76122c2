"""Raises an alert when an address has used up its tries of keys: once in a while, however many addresses do."""

import asyncio
import math
import time
from collections.abc import Callable
from contextvars import Context
from typing import Final

from api.server.limits.failed_logins import TRIES
from api.server.services import ContextServices
from runtime.logs import logger
from schemas.people.effects import AlertRaised
from storage.core.database import Database
from storage.core.unavailable import StorageUnavailable
from storage.people.alerts import Alerts

_log = logger(__name__)

ALERT: Final = "logins_refused"
EVERY_SECONDS: Final = 600.0
"""How often one process raises it at most; every lock-out is in the log."""


class LockOuts(ContextServices):
    """Tells people of lock-outs, beside the request that was refused and not within it."""

    def __init__(self, database: Database, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._database = database
        self._clock = clock
        self._raised_at = -math.inf
        self._raising: asyncio.Task[None] | None = None

    def note(self, address: str) -> None:
        """An address was locked out."""
        now = self._clock()
        _log.warning("locked out", address=address)
        if now < self._raised_at + EVERY_SECONDS:
            return
        self._raised_at = now
        self._raising = asyncio.get_running_loop().create_task(self._raise(address), context=Context())

    def end(self) -> None:
        """Nothing goes on by itself."""

    async def close(self) -> None:
        """Wait for the alert that is being written."""
        if self._raising is not None:
            await asyncio.wait([self._raising])

    async def _raise(self, address: str) -> None:
        alert = AlertRaised(
            alert_type=ALERT,
            severity="warning",
            message="有来源多次使用无效密钥, 已暂时拒绝其请求",
            metadata={"address": address, "tries": TRIES},
        )
        try:
            await asyncio.to_thread(self._write, alert)
        except StorageUnavailable as error:
            _log.warning("a lock-out could not be told", error=str(error))

    def _write(self, alert: AlertRaised) -> None:
        with self._database.transaction() as work:
            Alerts(work).raise_all([alert])
