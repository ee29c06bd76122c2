"""Logging in to the console: begun with a password, known by a cookie, ended by logging out."""

import hashlib
import hmac
import secrets
from dataclasses import dataclass, field
from typing import Final

from schemas.access.roles import scopes_of
from storage.access.console_sessions import ConsoleSessions
from storage.access.system_audit import SystemAudit
from storage.access.users import Users
from storage.core.database import Database
from tasks.access.passwords import is_password

_LONGEST_COOKIE: Final = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsoleSession:
    """A person at the console, and what they may do at this moment."""

    session_id: str
    login: str
    name: str
    roles: frozenset[str]
    scopes: frozenset[str]
    form_token: str = field(repr=False)
    """What every form of this session carries: no other site can know it."""


def begin_session(database: Database, login: str, password: str) -> str | None:
    """The cookie of a new session for a person with this password; `None` for anybody else, after as long a time."""
    with database.transaction() as work:
        stored = Users(work).password_of(login)
    if not is_password(password, stored):
        return None
    cookie = secrets.token_urlsafe(32)
    with database.transaction() as work:
        user = Users(work).lock(login)
        # Somebody may have changed it, or disabled them, while it was compared.
        if user is None or Users(work).password_of(login) != stored:
            return None
        session_id = ConsoleSessions(work).begin(user.user_id, cookie)
        Users(work).logged_in(user.user_id)
        SystemAudit(work).write(login, "session.begun", {"session_id": session_id})
    return cookie


def find_session(database: Database, cookie: str) -> ConsoleSession | None:
    """Whoever this cookie lets in; `None` where it lets in nobody, or no more."""
    if not 0 < len(cookie) <= _LONGEST_COOKIE:
        return None
    with database.transaction() as work:
        found = ConsoleSessions(work).use(cookie)
    if found is None:
        return None
    return ConsoleSession(
        session_id=found.session_id,
        login=found.login,
        name=found.name,
        roles=frozenset(found.roles),
        scopes=scopes_of(found.roles),
        form_token=hmac.new(cookie.encode(), b"form", hashlib.sha256).hexdigest(),
    )


def end_session(database: Database, session: ConsoleSession) -> None:
    """Log somebody out."""
    with database.transaction() as work:
        ConsoleSessions(work).end(session.session_id)
        SystemAudit(work).write(session.login, "session.ended", {"session_id": session.session_id})
