"""Sends callbacks: signed, retried until received, and resumed after a restart."""

import asyncio
import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from typing import Final

import httpx2

from fleet.simulator.group_commit import GroupCommit
from fleet.simulator.ledger import OwedCallback, ProviderLedger
from runtime.logs import logger
from tools.channels.exchange import Exchange, HttpAnswer
from tools.channels.signature import SIGNATURE_HEADER, TIMESTAMP_HEADER, sign

_BACKOFF_SECONDS: Final = (0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0)
_TRIES_AGAINST_REFUSAL: Final = 5
_TIMEOUT_SECONDS: Final = 10.0
_TOO_EARLY: Final = frozenset({408, 429})
"""The 4xx that a later try may get past (RFC 9110 §15.5.9, RFC 6585 §4)."""


class CallbackDelivery:
    """Sends callbacks over kept connections, `concurrency` at a time, each when it is due."""

    def __init__(
        self, ledger: ProviderLedger, commit: GroupCommit, secret: str, *, concurrency: int = 64
    ) -> None:
        self._ledger = ledger
        self._commit = commit
        self._secret = secret
        self._concurrency = concurrency
        self._due: asyncio.Queue[OwedCallback] = asyncio.Queue()
        self._exchanges: dict[str, Exchange] = {}
        self._threads = ThreadPoolExecutor(concurrency, thread_name_prefix="callback")
        self._workers: list[asyncio.Task[None]] = []
        self._log = logger(__name__)

    async def start(self) -> None:
        """Schedule every callback not yet received."""
        self._workers = [asyncio.create_task(self._work()) for _ in range(self._concurrency)]
        for callback in self._ledger.owed():
            self.schedule(callback)

    async def stop(self) -> None:
        """Stop at once; callbacks not yet received stay in the ledger."""
        for worker in self._workers:
            worker.cancel()
        await asyncio.gather(*self._workers, return_exceptions=True)
        self._threads.shutdown(cancel_futures=True)
        for exchange in self._exchanges.values():
            exchange.close()

    def schedule(self, callback: OwedCallback) -> None:
        """Send this callback when it is due."""
        wait = callback.due_at - time.time()
        if wait <= 0:
            self._due.put_nowait(callback)
        else:
            asyncio.get_running_loop().call_later(wait, self._due.put_nowait, callback)

    async def attempt(self, callback: OwedCallback) -> None:
        """Try once, now, and schedule what remains."""
        status = await self._post(callback)
        delivered = status is not None and httpx2.codes.is_success(status)
        tried = replace(
            callback, attempts=callback.attempts + 1, delivered=callback.delivered + int(delivered)
        )
        wait = _wait_after(tried, status)
        await self._commit.submit(
            partial(self._ledger.called_back, callback, delivered=delivered, still_open=wait is not None)
        )
        if wait is not None:
            self.schedule(replace(tried, due_at=time.time() + wait))
        elif not delivered:
            self._log.warning("callback given up", key=callback.key, status=status, attempts=tried.attempts)

    async def _work(self) -> None:
        while True:
            callback = await self._due.get()
            try:
                await self.attempt(callback)
            except sqlite3.Error as error:
                self._log.error("callback not recorded", key=callback.key, problem=str(error))
                self.schedule(replace(callback, due_at=time.time() + _BACKOFF_SECONDS[-1]))

    async def _post(self, callback: OwedCallback) -> int | None:
        """The status of the answer, None without one."""
        now = int(time.time())
        secret = f"not {self._secret}" if callback.faults.bad_signature else self._secret
        headers = {
            "Content-Type": "application/json",
            TIMESTAMP_HEADER: str(now),
            SIGNATURE_HEADER: sign(secret, now, callback.body),
        }
        try:
            address = httpx2.URL(callback.url)
            exchange = self._exchange_with(f"{address.scheme}://{address.netloc.decode('ascii')}")
        except (httpx2.InvalidURL, ValueError):
            return None
        post = partial(
            exchange.ask,
            "POST",
            address.raw_path.decode("ascii"),
            timeout_seconds=_TIMEOUT_SECONDS,
            body=callback.body,
            headers=headers,
        )
        answer = await asyncio.get_running_loop().run_in_executor(self._threads, post)
        return answer.status if isinstance(answer, HttpAnswer) else None

    def _exchange_with(self, server: str) -> Exchange:
        """The kept connections to a server."""
        if server not in self._exchanges:
            self._exchanges[server] = Exchange(
                server, setting="callback_url", headers={}, max_connections=self._concurrency
            )
        return self._exchanges[server]


def _wait_after(callback: OwedCallback, status: int | None) -> float | None:
    """Seconds to the next try of a callback that got this answer, None when there is none."""
    if status is not None and httpx2.codes.is_success(status):
        return 0.0 if callback.delivered <= callback.faults.duplicate_callbacks else None
    if (
        status is not None
        and httpx2.codes.is_client_error(status)
        and status not in _TOO_EARLY
        and callback.attempts >= _TRIES_AGAINST_REFUSAL
    ):
        return None
    return _BACKOFF_SECONDS[min(callback.attempts, len(_BACKOFF_SECONDS)) - 1]
