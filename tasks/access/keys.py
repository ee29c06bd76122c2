"""The keys of the API: made, listed, followed by others, revoked; each with its line in the system's audit log."""

from dataclasses import dataclass, replace
from datetime import timedelta

from runtime.api_key import new_key
from storage.access.keys import KeyRecord, Keys, NewKey
from storage.access.users import Users
from storage.core.database import Database


@dataclass(frozen=True, slots=True)
class Rotation:
    """The key that was followed, the one that follows it, and what lets its owner in, which is shown this once."""

    old: KeyRecord
    new: KeyRecord
    key: str


def list_keys(database: Database) -> list[KeyRecord]:
    """Every key there is or was, by owner, the oldest first."""
    with database.transaction() as work:
        return Keys(work).list()


def create_key(database: Database, new: NewKey, *, by: str) -> tuple[KeyRecord, str]:
    """Make a key; its record, and the key itself, which is shown this once.

    Where the owner is a person's login it is theirs: it may do of what their roles may what it names.
    """
    key = new_key()
    with database.transaction() as work:
        person = Users(work).find(new.agent_id)
        new = replace(new, user_id=person.user_id) if person else new
        return Keys(work).create(key, new, actor=by), key


def revoke_key(database: Database, key_id: str, *, by: str) -> KeyRecord | None:
    """Let a key in no more; the key as it was before, `None` when there is none."""
    with database.transaction() as work:
        return Keys(work).revoke(key_id, actor=by)


def rotate_key(
    database: Database, key_id: str, *, overlap: timedelta, by: str
) -> Rotation | KeyRecord | None:
    """Let a new key in with all that another may do, which ends after the overlap.

    Returns:
        The rotation; the key itself where it is no longer active; `None` where there is none.
    """
    key = new_key()
    with database.transaction() as work:
        rotated = Keys(work).rotate(key_id, key, overlap=overlap, actor=by)
        if rotated is not None:
            return Rotation(*rotated, key)
        return next((known for known in Keys(work).list() if known.key_id == key_id), None)
