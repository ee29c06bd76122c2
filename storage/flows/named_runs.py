"""Runs with an id chosen by the caller: each id is begun only once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import text

from storage.core.bulk import recordset, rows_of
from storage.core.unit_of_work import Repository
from storage.engine.tables import runs as runs_table

_CLASS: Final = 0x6E72
"""The first half of these advisory locks; the other half is the id."""

# Sorted within, so that two callers with the same ids wait for each other and never deadlock.
_LOCK = text(
    "SELECT pg_advisory_xact_lock(:class, half) FROM "
    "(SELECT DISTINCT hashtext(id) AS half FROM unnest(CAST(:ids AS text[])) AS id ORDER BY half) AS halves"
)
_FIND = text(
    "SELECT run_id AS id, digest FROM runs WHERE run_id = ANY(:ids) "
    "UNION ALL SELECT subject_id, NULL FROM runs WHERE subject_id = ANY(:ids)"
)
_SIGN = text(
    f"UPDATE runs SET digest = decode(c.digest_hex, 'hex') "
    f"FROM {recordset(runs_table, ('run_id',), digest_hex='text')} WHERE runs.run_id = c.run_id"
)


@dataclass(frozen=True, slots=True)
class NamedRuns(Repository):
    """Keeps chosen ids unique, among themselves and against the ids of what other runs are about."""

    def reserve(self, ids: Sequence[str]) -> dict[str, bytes | None]:
        """Lock these ids until the transaction ends, so that no other begins them.

        Returns:
            Those that are taken, each with what its body was; `None` where it was not a caller who chose it.
        """
        if not ids:
            return {}
        self.connection.execute(_LOCK, {"class": _CLASS, "ids": list(ids)})
        return {
            row.id: None if row.digest is None else bytes(row.digest)
            for row in self.connection.execute(_FIND, {"ids": list(ids)})
        }

    def record_digests(self, digests: Mapping[str, bytes]) -> None:
        """Record what the bodies of runs were that this transaction has begun."""
        if digests:
            rows = [(run_id, digest.hex()) for run_id, digest in sorted(digests.items())]
            self.connection.execute(_SIGN, rows_of(("run_id", "digest_hex"), rows))
