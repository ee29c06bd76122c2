"""Idempotency keys: a request with a key is done once, and a repetition gets the same answer (SPEC.md §6)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import text

from storage.core.bulk import dump_json
from storage.core.unit_of_work import Repository

KEPT: Final = timedelta(hours=24)
"""How long an answer is given again."""

ABANDONED: Final = timedelta(seconds=60)
"""How long a request may be under way before its key is free again: its process may have died."""

_MOST_PRUNED: Final = 50

_BEGIN = text(
    "INSERT INTO idempotency_keys (agent_id, key, digest) VALUES (:agent_id, :key, :digest) "
    "ON CONFLICT (agent_id, key) DO UPDATE "
    "SET digest = excluded.digest, status = NULL, body = NULL, headers = NULL, created_at = clock_timestamp() "
    "WHERE idempotency_keys.created_at <= clock_timestamp() - CAST(:kept AS interval) "
    "OR (idempotency_keys.status IS NULL "
    "AND idempotency_keys.created_at <= clock_timestamp() - CAST(:abandoned AS interval)) "
    "RETURNING created_at",
)
_FIND = text(
    "SELECT digest, status, body, headers FROM idempotency_keys WHERE agent_id = :agent_id AND key = :key"
)
# Rows that another request is pruning are skipped, so nobody ever waits here.
_PRUNE = text(
    "DELETE FROM idempotency_keys WHERE (agent_id, key) IN "
    "(SELECT agent_id, key FROM idempotency_keys WHERE created_at <= clock_timestamp() - CAST(:kept AS interval) "
    "ORDER BY created_at LIMIT :most FOR UPDATE SKIP LOCKED)",
)
_OWN: Final = "agent_id = :agent_id AND key = :key AND created_at = :begun_at AND status IS NULL"
_STORE = text(
    f"UPDATE idempotency_keys SET status = :status, body = :body, headers = CAST(:headers AS jsonb) WHERE {_OWN}"
)
_FREE = text(f"DELETE FROM idempotency_keys WHERE {_OWN}")


@dataclass(frozen=True, slots=True)
class Claim:
    """An idempotency key whose request is to be done now by the holder of this claim."""

    agent_id: str
    key: str
    begun_at: datetime


@dataclass(frozen=True, slots=True)
class Kept:
    """A key that was used before; `status` and `body` are set once its request was answered."""

    same: bool
    """Whether it came with the same request."""
    status: int | None
    body: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class IdempotencyKeys(Repository):
    """The only code that reads or writes `idempotency_keys`."""

    def begin(self, agent_id: str, key: str, digest: bytes) -> Claim | Kept:
        """Claim the key for this request, or return its earlier use; expired keys are deleted."""
        named = {"agent_id": agent_id, "key": key}
        begun_at = self.connection.execute(
            _BEGIN, {**named, "digest": digest, "kept": KEPT, "abandoned": ABANDONED}
        ).scalar_one_or_none()
        if begun_at is None:
            # The refused insert holds the row's lock, so it is there and stays as it is.
            row = self.connection.execute(_FIND, named).one()
            body = self.cipher.decrypt(row.body, _place(agent_id, key)) if row.body is not None else ""
            return Kept(row.digest == digest, row.status, body, row.headers or {})
        self.connection.execute(_PRUNE, {"kept": KEPT, "most": _MOST_PRUNED})
        return Claim(agent_id, key, begun_at)

    def store(self, claim: Claim, status: int, body: str, headers: Mapping[str, str]) -> None:
        """Store the answer, encrypted; nothing when another request has the claim."""
        self.connection.execute(
            _STORE,
            {
                **_own(claim),
                "status": status,
                "body": self.cipher.encrypt(body, _place(claim.agent_id, claim.key)),
                "headers": dump_json(headers),
            },
        )

    def free(self, claim: Claim) -> None:
        """Release the key, as if it had never been used."""
        self.connection.execute(_FREE, _own(claim))


def _own(claim: Claim) -> dict[str, object]:
    return {"agent_id": claim.agent_id, "key": claim.key, "begun_at": claim.begun_at}


def _place(agent_id: str, key: str) -> str:
    return f"idempotency_keys.body.{agent_id}.{key}"
