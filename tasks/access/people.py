"""People: added, changed, invited; logging in and out; each with its line in the system's audit log."""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final

from runtime.api_key import new_key
from schemas.access.roles import Role
from storage.access.console_sessions import ConsoleSessions
from storage.access.keys import Key, Keys, NewKey
from storage.access.system_audit import SystemAudit
from storage.access.users import User, Users
from storage.core.database import Database
from tasks.access.passwords import hash_password, is_password

LOGIN_LASTS: Final = timedelta(hours=12)
"""How long a login holds (CONSOLE.md §3)."""

_RESERVED: Final = frozenset({"customer", "fleet", "installation", "local"})
"""Names by which history says that no person did a thing."""


class PersonRefused(StrEnum):
    """Why a person is not added or changed."""

    TAKEN = "taken"
    """The login is or was somebody's, or the owner of a key is named so."""
    UNKNOWN = "unknown"
    OWN = "own"
    """Nobody takes away what they are let in by."""


@dataclass(frozen=True, slots=True)
class Invitation:
    """A person, and the code with which they set their password: shown this once."""

    user: User
    code: str


@dataclass(frozen=True, slots=True)
class Login:
    """A key that came of logging in: shown this once."""

    user: User
    key: str
    expires_at: datetime


def list_people(database: Database) -> list[User]:
    """Everybody there is or was, by login."""
    with database.transaction() as work:
        return Users(work).list()


def find_person(database: Database, login: str) -> User | None:
    """The person with this login."""
    with database.transaction() as work:
        return Users(work).find(login)


def add_person(
    database: Database, login: str, name: str, roles: Sequence[Role], *, by: str
) -> Invitation | PersonRefused:
    """Add a person, who sets a password with the code."""
    with database.transaction() as work:
        if login in _RESERVED or login in Keys(work).owners():
            return PersonRefused.TAKEN
        added = Users(work).add(login, name, [role.value for role in roles])
        if added is None:
            return PersonRefused.TAKEN
        code = _new_code()
        invited = Users(work).set_code(login, _digest(code))
        SystemAudit(work).write(by, "person.added", {"login": login, "roles": list(added.roles)})
        return Invitation(invited, code)


def change_person(
    database: Database,
    login: str,
    *,
    by: str,
    name: str | None = None,
    roles: Sequence[Role] | None = None,
    disabled: bool | None = None,
) -> User | PersonRefused:
    """Change what is given; who is disabled is let in no more, by none of their keys."""
    with database.transaction() as work:
        before = Users(work).lock(login)
        if before is None:
            return PersonRefused.UNKNOWN
        loses_admin = roles is not None and Role.ADMIN in before.roles and Role.ADMIN not in roles
        if login == by and (disabled or loses_admin):
            return PersonRefused.OWN
        named = None if roles is None else [role.value for role in roles]
        changed = Users(work).change(login, name=name, roles=named, disabled=disabled)
        if changed.disabled and not before.disabled:
            Keys(work).end_logins(changed.user_id)
            ConsoleSessions(work).end_of(changed.user_id)
        detail = {"login": login, "roles": list(changed.roles), "disabled": changed.disabled}
        SystemAudit(work).write(by, "person.changed", detail)
        return changed


def invite_person(database: Database, login: str, *, by: str) -> Invitation | PersonRefused:
    """A new code with which a person sets their password, in place of any before; the old password holds until then."""
    with database.transaction() as work:
        if Users(work).lock(login) is None:
            return PersonRefused.UNKNOWN
        code = _new_code()
        invited = Users(work).set_code(login, _digest(code))
        SystemAudit(work).write(by, "person.invited", {"login": login})
        return Invitation(invited, code)


def accept_invitation(database: Database, login: str, code: str, password: str) -> User | None:
    """Set the password of whoever has this code; every login of before ends. `None` where the code is not theirs."""
    hashed = hash_password(password)
    with database.transaction() as work:
        user = Users(work).owner_of_code(login, _digest(code))
        if user is None:
            return None
        Users(work).set_password(user.user_id, hashed)
        Keys(work).end_logins(user.user_id)
        ConsoleSessions(work).end_of(user.user_id)
        SystemAudit(work).write(login, "person.password_set", {"login": login})
        return Users(work).find(login)


def log_in(database: Database, login: str, password: str) -> Login | None:
    """A key for a person with this password, for 12 hours; `None` for anybody else, after as long a time."""
    with database.transaction() as work:
        stored = Users(work).password_of(login)
    if not is_password(password, stored):
        return None
    key, expires_at = new_key(), datetime.now(UTC) + LOGIN_LASTS
    with database.transaction() as work:
        user = Users(work).lock(login)
        # Somebody may have changed it, or disabled them, while it was compared.
        if user is None or Users(work).password_of(login) != stored:
            return None
        made = NewKey(
            agent_id=login,
            scopes=(),
            label="login",
            expires_at=expires_at,
            user_id=user.user_id,
            is_login=True,
        )
        Keys(work).create(key, made, actor=login)
        Users(work).logged_in(user.user_id)
        return Login(user, key, expires_at)


def log_out(database: Database, caller: Key) -> bool:
    """End the login that this key is; `False` where it is none."""
    if not caller.is_login:
        return False
    with database.transaction() as work:
        Keys(work).revoke(caller.key_id, actor=caller.agent_id)
    return True


def change_password(
    database: Database, login: str, password: str, new_password: str, *, but: str | None = None
) -> bool:
    """Set another password for a person; all their logins end but the key or session of this id.

    `False` where the old one is wrong.
    """
    with database.transaction() as work:
        stored = Users(work).password_of(login)
    if not is_password(password, stored):
        return False
    hashed = hash_password(new_password)
    with database.transaction() as work:
        user = Users(work).lock(login)
        if user is None or Users(work).password_of(login) != stored:
            return False
        Users(work).set_password(user.user_id, hashed)
        Keys(work).end_logins(user.user_id, but=but)
        ConsoleSessions(work).end_of(user.user_id, but=but)
        SystemAudit(work).write(login, "person.password_set", {"login": login})
    return True


def _new_code() -> str:
    return secrets.token_urlsafe(24)


def _digest(code: str) -> bytes:
    """A plain hash is enough for 192 random bits."""
    return hashlib.sha256(code.encode()).digest()
