"""API keys: hashed at rest, one owner each, with the scopes it may use."""

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import text

from runtime.ids import Prefix, new_id
from schemas.access.roles import scopes_of
from storage.access.system_audit import SystemAudit
from storage.core.unit_of_work import Repository

OVERLAP: Final = timedelta(hours=24)
"""How long the old key of a rotated pair is let in beside the new one."""

_FIELDS: Final = (
    "key_id, agent_id, scopes, user_id, is_login, label, default_mode, rate_limit, created_at, "
    "last_used_at, expires_at, CASE WHEN revoked THEN 'revoked' WHEN expires_at <= clock_timestamp() "
    "THEN 'expired' ELSE 'active' END AS state, left(encode(digest, 'hex'), 12) AS fingerprint"
)
_FIND = text(
    "SELECT key_id, agent_id, scopes, default_mode, rate_limit, user_id, is_login, roles "
    "FROM api_keys LEFT JOIN users USING (user_id) WHERE digest = :digest AND NOT revoked "
    "AND (expires_at IS NULL OR expires_at > clock_timestamp()) AND disabled IS NOT TRUE",
)
_REGISTER = text(
    "INSERT INTO api_keys (key_id, agent_id, digest, scopes) VALUES (:key_id, :agent_id, :digest, :scopes) "
    "ON CONFLICT (digest) DO UPDATE SET scopes = excluded.scopes "
    "WHERE NOT api_keys.revoked AND api_keys.scopes <> excluded.scopes RETURNING key_id",
)
_CREATE = text(
    "INSERT INTO api_keys (key_id, agent_id, digest, scopes, label, default_mode, rate_limit, expires_at, user_id, "
    "is_login) VALUES (:key_id, :agent_id, :digest, :scopes, :label, :default_mode, :rate_limit, :expires_at, "
    ":user_id, :is_login) "
    f"RETURNING {_FIELDS}",
)
_LIST = text(f"SELECT {_FIELDS} FROM api_keys ORDER BY agent_id, created_at, key_id")
_LOCK = text(f"SELECT {_FIELDS} FROM api_keys WHERE key_id = :key_id FOR UPDATE")
_REVOKE = text("UPDATE api_keys SET revoked = true WHERE key_id = :key_id")
_LIVE_AS_LONG = text(
    "SELECT clock_timestamp() + (expires_at - created_at) FROM api_keys WHERE key_id = :key_id",
)
_EXPIRE = text(
    "UPDATE api_keys SET expires_at = LEAST(expires_at, clock_timestamp() + CAST(:overlap AS interval)) "
    f"WHERE key_id = :key_id RETURNING {_FIELDS}",
)
_END_LOGINS = text(
    "UPDATE api_keys SET revoked = true WHERE user_id = :user_id AND is_login AND NOT revoked "
    "AND key_id IS DISTINCT FROM :but",
)
_OWNERS = text("SELECT DISTINCT agent_id FROM api_keys WHERE user_id IS NULL")
# A row that somebody else is writing is left to them: when a key was last used need not be exact.
_TOUCH = text(
    "UPDATE api_keys SET last_used_at = clock_timestamp() WHERE key_id IN "
    "(SELECT key_id FROM api_keys WHERE key_id = ANY(:key_ids) ORDER BY key_id FOR UPDATE SKIP LOCKED)",
)


def digest(key: str) -> bytes:
    """Return the stored hash of a key; a plain hash is enough for 256 random bits."""
    return hashlib.sha256(key.encode()).digest()


@dataclass(frozen=True, slots=True)
class Key:
    """The owner of a key and its permissions."""

    key_id: str
    agent_id: str
    scopes: frozenset[str]
    default_mode: str = "auto"
    """The mode of tasks that this key sends in without naming one."""
    rate_limit: str | None = None
    """The windows of this key, as `runtime.rate` reads them; `None` for those of the installation."""
    user_id: str | None = None
    """The person whose it is; their login is `agent_id`."""
    is_login: bool = False
    """Whether it came of logging in."""
    roles: frozenset[str] = frozenset()
    """What the person is whose it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRecord:
    """A key as shown to people, without the secret."""

    key_id: str
    agent_id: str
    scopes: Sequence[str]
    """Of a person's key: of what their roles may do only this; all of it where it names nothing."""
    user_id: str | None
    is_login: bool
    label: str | None
    default_mode: str
    rate_limit: str | None
    created_at: datetime
    last_used_at: datetime | None
    """To the minute."""
    expires_at: datetime | None
    state: str
    """`active`, `expired` or `revoked`."""
    fingerprint: str
    """The first digits of the key's digest, by which who has the key knows it again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewKey:
    """A key to be made."""

    agent_id: str
    scopes: Collection[str]
    label: str | None = None
    default_mode: str = "auto"
    rate_limit: str | None = None
    expires_at: datetime | None = None
    user_id: str | None = None
    is_login: bool = False


@dataclass(frozen=True, slots=True)
class Keys(Repository):
    """The only code that reads or writes `api_keys`."""

    def find(self, key: str) -> Key | None:
        """The key's owner, scopes and settings; `None` for an unknown, expired or revoked key."""
        row = self.connection.execute(_FIND, {"digest": digest(key)}).one_or_none()
        if row is None:
            return None
        scopes = frozenset(row.scopes)
        if row.user_id is not None:
            allowed = scopes_of(row.roles)
            scopes = allowed & scopes if scopes else allowed
        return Key(
            row.key_id,
            row.agent_id,
            scopes,
            row.default_mode,
            row.rate_limit,
            row.user_id,
            row.is_login,
            frozenset(row.roles or ()),
        )

    def list(self) -> list[KeyRecord]:
        """Every key there is or was, by owner, the oldest first."""
        return [KeyRecord(**row._mapping) for row in self.connection.execute(_LIST)]

    def register(
        self, key: str, agent_id: str, scopes: Sequence[str], *, actor: str = "installation"
    ) -> None:
        """Store this key; if it exists, set its scopes, unless it is revoked."""
        key_id = new_id(Prefix.KEY)
        changed = self.connection.execute(
            _REGISTER,
            {"key_id": key_id, "agent_id": agent_id, "digest": digest(key), "scopes": sorted(scopes)},
        ).scalar_one_or_none()
        if changed is not None:
            what = "key.created" if changed == key_id else "key.scopes_changed"
            self._audit(actor, what, changed, {"agent_id": agent_id, "scopes": sorted(scopes)})

    def create(self, key: str, new: NewKey, *, actor: str) -> KeyRecord:
        """Store a key that the caller made with `new_key`."""
        made = self._insert(key, new)
        self._audit(actor, "key.created", made.key_id, _told(made))
        return made

    def revoke(self, key_id: str, *, actor: str) -> KeyRecord | None:
        """Revoke this key; return it as it was before, `None` when there is none."""
        found = self._lock(key_id)
        if found is not None and found.state != "revoked":
            self.connection.execute(_REVOKE, {"key_id": key_id})
            self._audit(actor, "key.revoked", key_id, {"agent_id": found.agent_id})
        return found

    def rotate(
        self, key_id: str, key: str, *, overlap: timedelta = OVERLAP, actor: str
    ) -> tuple[KeyRecord, KeyRecord] | None:
        """Store `key` with the owner, scopes and settings of another, which expires after the overlap.

        A key that was to expire is followed by one that lives as long as it was to live.

        Returns:
            The old key as it stands now, and the new one; `None` when there is no such key that is active.
        """
        found = self._lock(key_id)
        if found is None or found.state != "active":
            return None
        expires_at = self.connection.execute(_LIVE_AS_LONG, {"key_id": key_id}).scalar_one()
        made = self._insert(
            key,
            NewKey(
                agent_id=found.agent_id,
                scopes=found.scopes,
                label=found.label,
                default_mode=found.default_mode,
                rate_limit=found.rate_limit,
                user_id=found.user_id,
                is_login=found.is_login,
                expires_at=expires_at,
            ),
        )
        ending = self.connection.execute(_EXPIRE, {"key_id": key_id, "overlap": overlap}).one()
        old = KeyRecord(**ending._mapping)
        self._audit(
            actor,
            "key.rotated",
            key_id,
            {"agent_id": old.agent_id, "successor": made.key_id, "expires_at": old.expires_at},
        )
        return old, made

    def end_logins(self, user_id: str, *, but: str | None = None) -> None:
        """End every login of a person, but this one; their other keys stay."""
        self.connection.execute(_END_LOGINS, {"user_id": user_id, "but": but})

    def owners(self) -> set[str]:
        """Whose keys there are or were, but people's."""
        return set(self.connection.execute(_OWNERS).scalars())

    def touch(self, key_ids: Sequence[str]) -> None:
        """Store the time of the last use of these keys."""
        self.connection.execute(_TOUCH, {"key_ids": list(key_ids)})

    def _insert(self, key: str, new: NewKey) -> KeyRecord:
        row = self.connection.execute(
            _CREATE,
            {
                "key_id": new_id(Prefix.KEY),
                "agent_id": new.agent_id,
                "digest": digest(key),
                "scopes": sorted(new.scopes),
                "label": new.label,
                "default_mode": new.default_mode,
                "rate_limit": new.rate_limit,
                "expires_at": new.expires_at,
                "user_id": new.user_id,
                "is_login": new.is_login,
            },
        ).one()
        return KeyRecord(**row._mapping)

    def _lock(self, key_id: str) -> KeyRecord | None:
        row = self.connection.execute(_LOCK, {"key_id": key_id}).one_or_none()
        return None if row is None else KeyRecord(**row._mapping)

    def _audit(self, actor: str, what: str, key_id: str, detail: Mapping[str, object]) -> None:
        SystemAudit(self.work).write(actor, what, {"key_id": key_id, **detail})


def _told(made: KeyRecord) -> dict[str, Any]:
    """What history keeps of a new key."""
    return {
        "agent_id": made.agent_id,
        "scopes": list(made.scopes),
        "label": made.label,
        "default_mode": made.default_mode,
        "rate_limit": made.rate_limit,
        "expires_at": made.expires_at,
    }
