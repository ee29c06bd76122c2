"""People to log in with, of a fleet that is tried on one machine: made with passwords that nobody chose."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from schemas.access.roles import Role
from storage.core.database import Database
from tasks.access.people import Invitation, accept_invitation, add_person

PEOPLE: Final[Mapping[str, Role]] = MappingProxyType(
    {"reviewer": Role.REVIEWER, "manager": Role.MANAGER, "administrator": Role.ADMIN}
)
"""Their logins, and what each is."""


def add_people(database: Database, passwords: Mapping[str, str]) -> None:
    """Add each with their password; who is there already stays as they are."""
    for login, role in PEOPLE.items():
        added = add_person(database, login, login, [role], by="installation")
        if isinstance(added, Invitation):
            accept_invitation(database, login, added.code, passwords[login])
