"""Identities in messengers: the accounts there whose answers are a person's, and the code that binds one."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import text

from runtime.ids import Prefix, new_id
from storage.core.unit_of_work import Repository

CODE_LASTS: Final = timedelta(minutes=10)
"""How long an account can be bound with a code."""

_FIELDS: Final = "identity_id, provider, operator_id, bound_at"
_SET_CODE = text(
    "UPDATE users SET im_code = :code, im_code_expires_at = clock_timestamp() + CAST(:lasts AS interval) "
    "WHERE user_id = :user_id AND NOT disabled RETURNING im_code_expires_at"
)
_USE_CODE = text(
    "UPDATE users SET im_code = NULL, im_code_expires_at = NULL WHERE im_code = :code "
    "AND im_code_expires_at > clock_timestamp() AND NOT disabled RETURNING user_id, login, name, roles"
)
_BIND = text(
    "INSERT INTO im_identities (identity_id, provider, operator_id, user_id) "
    "VALUES (:identity_id, :provider, :operator_id, :user_id) ON CONFLICT (provider, operator_id) "
    f"DO UPDATE SET user_id = excluded.user_id, bound_at = excluded.bound_at RETURNING {_FIELDS}"
)
_OWNER = text(
    "SELECT u.user_id, u.login, u.name, u.roles FROM im_identities i JOIN users u USING (user_id) "
    "WHERE i.provider = :provider AND i.operator_id = :operator_id AND NOT u.disabled"
)
_OF = text(f"SELECT {_FIELDS} FROM im_identities WHERE user_id = :user_id ORDER BY bound_at, identity_id")
_REMOVE = text(
    "DELETE FROM im_identities WHERE identity_id = :identity_id AND user_id = :user_id RETURNING provider"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ImIdentity:
    """An account in a messenger, as its owner sees it."""

    identity_id: str
    provider: str
    operator_id: str
    bound_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ImOwner:
    """The person whose an account is, as what they are now."""

    user_id: str
    login: str
    name: str
    roles: Sequence[str]


@dataclass(frozen=True, slots=True)
class ImIdentities(Repository):
    """The only code that reads or writes `im_identities`, and the codes of `users` that lead to them."""

    def set_code(self, user_id: str, code: bytes) -> datetime | None:
        """Let the code of this digest bind an account to a person, in place of any before; until when it does."""
        given = {"user_id": user_id, "code": code, "lasts": CODE_LASTS}
        return self.connection.execute(_SET_CODE, given).scalar_one_or_none()

    def use_code(self, code: bytes) -> ImOwner | None:
        """Whose the code of this digest is, which is used up; `None` where it is nobody's, or its time is over."""
        row = self.connection.execute(_USE_CODE, {"code": code}).one_or_none()
        return None if row is None else ImOwner(**row._mapping)

    def bind(self, user_id: str, provider: str, operator_id: str) -> ImIdentity:
        """Let an account be this person's, whoever's it was."""
        given = {
            "identity_id": new_id(Prefix.IDENTITY),
            "provider": provider,
            "operator_id": operator_id,
            "user_id": user_id,
        }
        return ImIdentity(**self.connection.execute(_BIND, given).one()._mapping)

    def owner(self, provider: str, operator_id: str) -> ImOwner | None:
        """Whose an account is; `None` where it is nobody's, or theirs who are let in no more."""
        given = {"provider": provider, "operator_id": operator_id}
        row = self.connection.execute(_OWNER, given).one_or_none()
        return None if row is None else ImOwner(**row._mapping)

    def of(self, user_id: str) -> list[ImIdentity]:
        """A person's accounts, the oldest first."""
        return [ImIdentity(**row._mapping) for row in self.connection.execute(_OF, {"user_id": user_id})]

    def remove(self, identity_id: str, user_id: str) -> str | None:
        """Let an account be nobody's any more; its provider, `None` where it was not this person's."""
        given = {"identity_id": identity_id, "user_id": user_id}
        return self.connection.execute(_REMOVE, given).scalar_one_or_none()
