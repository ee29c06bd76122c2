"""Renews leases while work lasts: one thread a process, one statement for all its leases."""

import math
import threading
import time
from collections.abc import Callable
from typing import Final

from runtime.logs import logger
from storage.core.database import Database
from storage.core.unavailable import StorageUnavailable
from storage.engine.leases import Leases

_log = logger(__name__)

_TRUSTED: Final = 5 / 6
"""The part of its length for which a lease is trusted without a renewal."""

_EVERY: Final = 1 / 3
"""The part of its length after which a lease is renewed."""

_AGAIN: Final = 1 / 12
"""The part of its length after which a renewal that failed is tried again."""


class LeaseKeeper:
    """Renews the leases this process holds every third of their length, on the database's clock.

    A holder trusts its lease only until its last renewal and five sixths of its length, on its own monotonic clock: a
    process that was frozen notices before it does anything more.
    """

    def __init__(
        self, database: Database, seconds: float, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.seconds = seconds
        self.clock = clock
        self._database = database
        self._trusted_until: dict[str, float] = {}
        self._held: set[str] = set()
        self._lost: set[str] = set()
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._closed = False

    def hold(self, lease_id: str, claimed_at: float) -> Callable[[], bool]:
        """Renew this committed lease from now on; the return value tells whether it was, or may have been, lost.

        Args:
            lease_id: The lease.
            claimed_at: A moment on this keeper's clock before its claim was committed.
        """
        with self._changed:
            self._held.add(lease_id)
            self._trusted_until[lease_id] = claimed_at + self.seconds * _TRUSTED
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="lease-keeper", daemon=True)
                self._thread.start()
        return lambda: lease_id in self._lost or self.clock() > self._trusted_until.get(lease_id, math.inf)

    def let_go(self, lease_id: str) -> None:
        """Stop renewing this lease."""
        with self._changed:
            self._held.discard(lease_id)
            self._lost.discard(lease_id)
            self._trusted_until.pop(lease_id, None)

    def close(self) -> None:
        """Stop the thread."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _run(self) -> None:
        pause = _EVERY
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._closed, timeout=self.seconds * pause)
                if self._closed:
                    return
                held = sorted(self._held)
            pause = _EVERY if self._renew(held) else _AGAIN

    def _renew(self, held: list[str]) -> bool:
        """Renew these leases; `False` where PostgreSQL did not answer."""
        if not held:
            return True
        began = self.clock()
        try:
            with self._database.transaction() as work:
                kept = Leases(work).renew(held, self.seconds)
        except StorageUnavailable as error:
            # The lease may still be alive when the database answers again; `record` will tell.
            _log.warning("leases could not be renewed", error=str(error), leases=len(held))
            return False
        lost = set(held) - kept
        with self._changed:
            self._lost |= lost & self._held
            for lease_id in kept & self._held:
                self._trusted_until[lease_id] = began + self.seconds * _TRUSTED
        return True
