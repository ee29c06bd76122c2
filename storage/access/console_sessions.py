"""Who is logged in to the console: hashed at rest, ended by time, by logging out, and with the password."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from sqlalchemy import text

from runtime.ids import Prefix, new_id
from storage.access.keys import digest
from storage.core.unit_of_work import Repository

SESSION_LASTS: Final = timedelta(hours=12)
"""How long somebody stays logged in at most (CONSOLE.md §3)."""
IDLE_ENDS: Final = timedelta(minutes=60)
"""How long somebody stays logged in who does nothing."""

_LIVE: Final = (
    "s.created_at > clock_timestamp() - CAST(:lasts AS interval) "
    "AND s.used_at > clock_timestamp() - CAST(:idle AS interval)"
)
_TIMES: Final = {"lasts": SESSION_LASTS, "idle": IDLE_ENDS}
_BEGIN = text(
    "INSERT INTO console_sessions (session_id, user_id, digest) VALUES (:session_id, :user_id, :digest)"
)
_USE = text(
    "UPDATE console_sessions s SET used_at = clock_timestamp() FROM users u "
    f"WHERE s.digest = :digest AND u.user_id = s.user_id AND NOT u.disabled AND {_LIVE} "
    "RETURNING s.session_id, u.user_id, u.login, u.name, u.roles"
)
_END = text("DELETE FROM console_sessions WHERE session_id = :session_id")
_END_OF = text(
    "DELETE FROM console_sessions WHERE user_id = :user_id AND session_id IS DISTINCT FROM CAST(:but AS text)"
)
_CLEAR = text(f"DELETE FROM console_sessions s WHERE s.user_id = :user_id AND NOT ({_LIVE})")


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionRow:
    """A login to the console that holds, and whose it is."""

    session_id: str
    user_id: str
    login: str
    name: str
    roles: Sequence[str]


@dataclass(frozen=True, slots=True)
class ConsoleSessions(Repository):
    """The only code that reads or writes `console_sessions`."""

    def begin(self, user_id: str, cookie: str) -> str:
        """Let the holder of this cookie in as a person, and forget what of theirs has ended; the session's id."""
        self.connection.execute(_CLEAR, {"user_id": user_id, **_TIMES})
        session_id = new_id(Prefix.SESSION)
        self.connection.execute(
            _BEGIN, {"session_id": session_id, "user_id": user_id, "digest": digest(cookie)}
        )
        return session_id

    def use(self, cookie: str) -> SessionRow | None:
        """Whoever this cookie lets in, who is not idle from now on; `None` where it lets in nobody any more."""
        row = self.connection.execute(_USE, {"digest": digest(cookie), **_TIMES}).one_or_none()
        return None if row is None else SessionRow(**row._mapping)

    def end(self, session_id: str) -> None:
        """End one."""
        self.connection.execute(_END, {"session_id": session_id})

    def end_of(self, user_id: str, but: str | None = None) -> None:
        """End all of a person's, but the one of this id."""
        self.connection.execute(_END_OF, {"user_id": user_id, "but": but})
