"""Binds an account in a messenger to a person: a code from their page is sent to the bot (CONSOLE.md §7)."""

import hashlib
import re
import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from storage.access.im_identities import ImIdentities, ImIdentity, ImOwner
from storage.access.keys import Key
from storage.access.system_audit import SystemAudit
from storage.core.database import Database

_LETTERS: Final = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
"""None that is taken for another when it is read off a screen."""
_HALF: Final = 5
_WRITTEN: Final = re.compile(
    rf"(?<![0-9A-Za-z])([{_LETTERS}]{{{_HALF}}})-?([{_LETTERS}]{{{_HALF}}})(?![0-9A-Za-z])"
)


@dataclass(frozen=True, slots=True)
class BindingCode:
    """What a person sends to the bot: shown this once."""

    code: str
    expires_at: datetime


def new_binding_code(database: Database, caller: Key) -> BindingCode | None:
    """A code that binds an account to the person whose key this is; `None` for a key that is no person's."""
    if caller.user_id is None:
        return None
    code = "-".join("".join(secrets.choice(_LETTERS) for _ in range(_HALF)) for _ in range(2))
    with database.transaction() as work:
        expires_at = ImIdentities(work).set_code(caller.user_id, _digest(code))
        if expires_at is None:
            return None
        SystemAudit(work).write(caller.agent_id, "im.code_made", {"login": caller.agent_id})
    return BindingCode(code, expires_at)


def has_code(words: str) -> bool:
    """Whether something in these words is written as codes are."""
    return _WRITTEN.search(words) is not None


def bind(database: Database, provider: str, operator_id: str, words: str) -> ImOwner | None:
    """Bind the account that sent these words to whose code is in them; `None` where there is none that holds."""
    written = _WRITTEN.search(words)
    if written is None:
        return None
    with database.transaction() as work:
        owner = ImIdentities(work).use_code(_digest("-".join(written.groups())))
        if owner is None:
            return None
        before = ImIdentities(work).owner(provider, operator_id)
        bound = ImIdentities(work).bind(owner.user_id, provider, operator_id)
        detail = {
            "login": owner.login,
            "provider": provider,
            "identity_id": bound.identity_id,
            "before": None if before is None else before.login,
        }
        SystemAudit(work).write(owner.login, "im.bound", detail)
        return owner


def list_identities(database: Database, caller: Key) -> list[ImIdentity]:
    """The accounts of the person whose key this is."""
    if caller.user_id is None:
        return []
    with database.transaction() as work:
        return ImIdentities(work).of(caller.user_id)


def remove_identity(database: Database, caller: Key, identity_id: str) -> bool:
    """Let an account of the person whose key this is be nobody's; `False` where it is not theirs."""
    if caller.user_id is None:
        return False
    with database.transaction() as work:
        provider = ImIdentities(work).remove(identity_id, caller.user_id)
        if provider is None:
            return False
        detail = {"login": caller.agent_id, "provider": provider, "identity_id": identity_id}
        SystemAudit(work).write(caller.agent_id, "im.unbound", detail)
        return True


def _digest(code: str) -> bytes:
    """A plain hash is enough for 50 random bits that hold for ten minutes."""
    return hashlib.sha256(code.encode()).digest()
