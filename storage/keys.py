"""API keys: hashed at rest, one agent each, with the scopes it may use."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, text

from runtime.ids import Prefix, new_id

_FIND = text(
    "SELECT key_id, agent_id, scopes FROM api_keys WHERE digest = :digest AND NOT revoked "
    "AND (expires_at IS NULL OR expires_at > clock_timestamp())",
)
_REGISTER = text(
    "INSERT INTO api_keys (key_id, agent_id, digest, scopes) VALUES (:key_id, :agent_id, :digest, :scopes) "
    "ON CONFLICT (digest) DO NOTHING",
)


def digest(key: str) -> bytes:
    """What is stored of a key. Keys are 256 random bits, so a plain hash cannot be guessed back."""
    return hashlib.sha256(key.encode()).digest()


@dataclass(frozen=True, slots=True)
class Key:
    """Who calls, and what they may do."""

    key_id: str
    agent_id: str
    scopes: frozenset[str]


@dataclass(frozen=True, slots=True)
class Keys:
    """The only code that reads or writes `api_keys`."""

    connection: Connection

    def find(self, key: str) -> Key | None:
        """The key's owner and scopes; `None` for an unknown, expired or revoked key."""
        row = self.connection.execute(_FIND, {"digest": digest(key)}).one_or_none()
        return None if row is None else Key(row.key_id, row.agent_id, frozenset(row.scopes))

    def register(self, key: str, agent_id: str, scopes: Sequence[str]) -> None:
        """Let this key in; registering it again changes nothing."""
        self.connection.execute(
            _REGISTER,
            {
                "key_id": new_id(Prefix.KEY),
                "agent_id": agent_id,
                "digest": digest(key),
                "scopes": list(scopes),
            },
        )
