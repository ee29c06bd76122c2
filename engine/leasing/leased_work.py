"""Work under a lease: renewed while it lasts; what ends in an exception gives its rows back at once."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from engine.leasing.lease import LeaseKeeper
from engine.publisher import WireUnavailable
from engine.rescue.isolation import fault_of
from runtime.logs import logger
from storage.core.bulk import dump_json
from storage.core.database import Database
from storage.core.unavailable import StorageUnavailable
from storage.engine.leases import Leases
from storage.engine.queues import Queues

_log = logger(__name__)


@dataclass(frozen=True, slots=True)
class LeasedWork:
    """The leases of a process's batches, from claim to record."""

    database: Database
    keeper: LeaseKeeper
    most_crashes: int
    interruptions: tuple[type[Exception], ...]
    """Exceptions that end work from outside."""

    @contextmanager
    def under(self, lease_id: str, *, alone: bool) -> Iterator[None]:
        """Work under this lease, of one row `alone` or of several."""
        finished = False
        try:
            yield
            finished = True
        finally:
            self.keeper.let_go(lease_id)
            if not finished:
                self._surrender(lease_id, alone=alone)

    def _surrender(self, lease_id: str, *, alone: bool) -> None:
        """Count the crash where it is known whose it is; of several rows, one is at fault and not yet found."""
        error = sys.exc_info()[1]
        interrupted = isinstance(error, self.interruptions)
        nobodys = isinstance(error, StorageUnavailable | WireUnavailable)
        try:
            with self.database.transaction() as work:
                if (alone or interrupted) and not nobodys and error is not None:
                    evidence = {"code": "crashed", "message": str(fault_of(error))}
                    Queues(work).release_crashed(lease_id, dump_json(evidence), self.most_crashes)
                else:
                    Queues(work).release_untouched(lease_id)
                Leases(work).release(lease_id)
        except StorageUnavailable as unavailable:
            _log.warning("lease left to expire", lease_id=lease_id, error=str(unavailable))
