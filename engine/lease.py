"""Renews leases while work lasts: one thread a process, one statement for all its leases."""

import threading
from collections.abc import Callable

from runtime.logs import logger
from storage.core.database import Database
from storage.core.unavailable import StorageUnavailable
from storage.engine.leases import Leases

_log = logger(__name__)


class LeaseKeeper:
    """Renews the leases this process holds every third of their length, on the database's clock."""

    def __init__(self, database: Database, seconds: float) -> None:
        self.seconds = seconds
        self._database = database
        self._held: set[str] = set()
        self._lost: set[str] = set()
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._closed = False

    def hold(self, lease_id: str) -> Callable[[], bool]:
        """Renew this lease from now on; the return value tells whether it was lost."""
        with self._changed:
            self._held.add(lease_id)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="lease-keeper", daemon=True)
                self._thread.start()
        return lambda: lease_id in self._lost

    def let_go(self, lease_id: str) -> None:
        """Stop renewing this lease."""
        with self._changed:
            self._held.discard(lease_id)
            self._lost.discard(lease_id)

    def close(self) -> None:
        """Stop the thread."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._closed, timeout=self.seconds / 3)
                if self._closed:
                    return
                held = sorted(self._held)
            if held:
                self._renew(held)

    def _renew(self, held: list[str]) -> None:
        try:
            with self._database.transaction() as work:
                kept = Leases(work).renew(held, self.seconds)
        except StorageUnavailable as error:
            # The lease may still be alive when the database answers again; `record` will tell.
            _log.warning("leases could not be renewed", error=str(error), leases=len(held))
            return
        lost = set(held) - kept
        with self._changed:
            self._lost |= lost & self._held
