"""Commits the writes of one turn of the event loop in one transaction."""

import asyncio
import sqlite3
from collections.abc import Callable
from typing import Any, TypeVar

from fleet.simulator.ledger import ProviderLedger

_Answer = TypeVar("_Answer")


class GroupCommit:
    """Runs writes of the ledger on the event loop; a write returns when it is committed."""

    def __init__(self, ledger: ProviderLedger) -> None:
        self._ledger = ledger
        self._waiting: list[tuple[Callable[[], Any], asyncio.Future[Any]]] = []

    async def submit(self, write: Callable[[], _Answer]) -> _Answer:
        """Run the write together with the others of this turn.

        Raises:
            sqlite3.Error: The transaction failed, and nothing of it is kept.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[_Answer] = loop.create_future()
        self._waiting.append((write, future))
        if len(self._waiting) == 1:
            loop.call_soon(self._commit)
        return await future

    def _commit(self) -> None:
        group, self._waiting = self._waiting, []
        try:
            answers = self._ledger.transact(lambda: [write() for write, _ in group])
        except sqlite3.Error as error:
            for _, future in group:
                if not future.done():
                    future.set_exception(error)
            return
        for (_, future), answer in zip(group, answers, strict=True):
            # A caller whose connection closed no longer waits; its write is committed all the same.
            if not future.done():
                future.set_result(answer)
