"""People: their logins, roles and passwords."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import text

from runtime.ids import Prefix, new_id
from storage.core.unit_of_work import Repository

CODE_LASTS: Final = timedelta(days=3)
"""How long a person may set their password with a code."""

_FIELDS: Final = (
    "user_id, login, name, roles, disabled, password IS NOT NULL AS has_password, "
    "CASE WHEN code_expires_at > clock_timestamp() THEN code_expires_at END AS code_expires_at, "
    "created_at, last_login_at"
)
_LIST = text(f"SELECT {_FIELDS} FROM users ORDER BY login")
_FIND = text(f"SELECT {_FIELDS} FROM users WHERE login = :login")
_LOCK = text(f"SELECT {_FIELDS} FROM users WHERE login = :login FOR UPDATE")
_ADD = text(
    "INSERT INTO users (user_id, login, name, roles) VALUES (:user_id, :login, :name, :roles) "
    f"ON CONFLICT (login) DO NOTHING RETURNING {_FIELDS}",
)
_CHANGE = text(
    "UPDATE users SET name = coalesce(:name, name), roles = coalesce(CAST(:roles AS text[]), roles), "
    f"disabled = coalesce(:disabled, disabled) WHERE login = :login RETURNING {_FIELDS}",
)
_PASSWORD = text("SELECT password FROM users WHERE login = :login AND NOT disabled")
_SET_PASSWORD = text(
    "UPDATE users SET password = :password, code = NULL, code_expires_at = NULL WHERE user_id = :user_id",
)
_SET_CODE = text(
    "UPDATE users SET code = :code, code_expires_at = clock_timestamp() + CAST(:lasts AS interval) "
    f"WHERE login = :login RETURNING {_FIELDS}",
)
_OWNER_OF_CODE = text(
    f"SELECT {_FIELDS} FROM users WHERE login = :login AND code = :code AND NOT disabled "
    "AND code_expires_at > clock_timestamp() FOR UPDATE",
)
# The first of their passwords came with the person; one that they chose themselves is another line.
_AS_INSTALLED = text(
    "SELECT login FROM users u WHERE NOT disabled AND password IS NOT NULL "
    "AND EXISTS (SELECT FROM system_audit a WHERE a.what = 'person.added' AND a.actor = 'installation' "
    "AND a.detail ->> 'login' = u.login) "
    "AND (SELECT count(*) FROM system_audit a WHERE a.what = 'person.password_set' AND a.actor = u.login) < 2 "
    "ORDER BY login"
)
_LOGGED_IN = text("UPDATE users SET last_login_at = clock_timestamp() WHERE user_id = :user_id")


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """A person, without their password."""

    user_id: str
    login: str
    name: str
    roles: Sequence[str]
    disabled: bool
    has_password: bool
    code_expires_at: datetime | None
    """Until when a password can be set with a code; `None` where none waits."""
    created_at: datetime
    last_login_at: datetime | None


@dataclass(frozen=True, slots=True)
class Users(Repository):
    """The only code that reads or writes `users`."""

    def list(self) -> list[User]:
        """Everybody there is or was, by login."""
        return [User(**row._mapping) for row in self.connection.execute(_LIST)]

    def as_installed(self) -> Sequence[str]:
        """Who is let in with the password that the installation made for them, by login."""
        return self.connection.execute(_AS_INSTALLED).scalars().all()

    def find(self, login: str) -> User | None:
        """The person with this login."""
        row = self.connection.execute(_FIND, {"login": login}).one_or_none()
        return None if row is None else User(**row._mapping)

    def lock(self, login: str) -> User | None:
        """The person with this login, locked."""
        row = self.connection.execute(_LOCK, {"login": login}).one_or_none()
        return None if row is None else User(**row._mapping)

    def add(self, login: str, name: str, roles: Sequence[str]) -> User | None:
        """Add a person; `None` where the login is or was somebody's."""
        row = self.connection.execute(
            _ADD, {"user_id": new_id(Prefix.USER), "login": login, "name": name, "roles": sorted(roles)}
        ).one_or_none()
        return None if row is None else User(**row._mapping)

    def change(
        self, login: str, *, name: str | None, roles: Sequence[str] | None, disabled: bool | None
    ) -> User:
        """Change what is given of a locked person."""
        changed = {
            "login": login,
            "name": name,
            "roles": None if roles is None else sorted(roles),
            "disabled": disabled,
        }
        return User(**self.connection.execute(_CHANGE, changed).one()._mapping)

    def password_of(self, login: str) -> str | None:
        """The hash of a person's password; `None` for who has none, may not log in, or is nobody."""
        return self.connection.execute(_PASSWORD, {"login": login}).scalar_one_or_none()

    def set_password(self, user_id: str, password: str) -> None:
        """Store the hash of a password; a code that waits is used up."""
        self.connection.execute(_SET_PASSWORD, {"user_id": user_id, "password": password})

    def set_code(self, login: str, code: bytes) -> User:
        """Let a locked person set their password with the code of this digest, in place of any before."""
        row = self.connection.execute(_SET_CODE, {"login": login, "code": code, "lasts": CODE_LASTS}).one()
        return User(**row._mapping)

    def owner_of_code(self, login: str, code: bytes) -> User | None:
        """The person who may set their password with the code of this digest, locked."""
        row = self.connection.execute(_OWNER_OF_CODE, {"login": login, "code": code}).one_or_none()
        return None if row is None else User(**row._mapping)

    def logged_in(self, user_id: str) -> None:
        """Store the time of a login."""
        self.connection.execute(_LOGGED_IN, {"user_id": user_id})
