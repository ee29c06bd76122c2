"""The pages of people: who works here, a person added, changed, disabled or invited anew."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar, Final

from pydantic import TypeAdapter, ValidationError
from starlette.responses import Response
from starlette.routing import BaseRoute

from api.server.refusal import unknown
from console.server.fields import identified
from console.server.form import EMPTY, Form
from console.server.route import change, page
from console.server.visit import Visit, see
from schemas.access.people import DisplayName, LoginName
from schemas.access.roles import Role
from schemas.access.scopes import Scope
from storage.access.users import User
from tasks.access.people import (
    Invitation,
    PersonRefused,
    add_person,
    change_person,
    find_person,
    invite_person,
    list_people,
)

_CONFLICT: Final = 409
_LOGIN: Final[TypeAdapter[str]] = TypeAdapter(LoginName)
_NAME: Final[TypeAdapter[str]] = TypeAdapter(DisplayName)


@dataclass(frozen=True, slots=True, kw_only=True)
class StaffPage:
    """Everybody there is or was, and the form of another."""

    template: ClassVar[str] = "access/staff.html"
    page: ClassVar[str] = "staff"
    roles: ClassVar[Sequence[Role]] = tuple(Role)

    people: Sequence[User]
    form: Form = EMPTY


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonPage:
    """One person, with the code of an invitation where it was just made."""

    template: ClassVar[str] = "access/person.html"
    page: ClassVar[str] = "staff"
    roles: ClassVar[Sequence[Role]] = tuple(Role)

    person: User
    form: Form = EMPTY
    code: str | None = field(default=None, repr=False)
    refusal: str | None = None


def show_staff(visit: Visit) -> Response:
    """Everybody, by login."""
    return visit.page(_staff(visit))


def add(visit: Visit) -> Response:
    """Add a person; their code is on the page that answers, and on no other."""
    form, roles = visit.form, _roles(visit)
    found = form.with_faults(
        login=None if _is(_LOGIN, form["login"]) else "staff.fault.login",
        name=None if _is(_NAME, form["name"]) else "staff.fault.name",
        roles=None if roles else "staff.fault.roles",
    )
    if found.faults:
        return visit.faulty(replace(_staff(visit), form=found))
    added = add_person(visit.parts.database, form["login"], form["name"], roles, by=visit.login)
    if isinstance(added, PersonRefused):
        taken = form.with_faults(login="staff.fault.taken")
        return visit.faulty(replace(_staff(visit), form=taken))
    return _invited(visit, added)


def show_person(visit: Visit) -> Response:
    """One person."""
    return visit.page(_person(visit))


def change_somebody(visit: Visit) -> Response:
    """Change a person, or give them a new code."""
    present = _person(visit)
    match visit.form["do"]:
        case "invite":
            invited = invite_person(visit.parts.database, present.person.login, by=visit.login)
            if isinstance(invited, PersonRefused):
                raise unknown("login", present.person.login)
            return _invited(visit, invited)
        case "change":
            return _change(visit, present)
    return visit.page(present)


def _change(visit: Visit, present: PersonPage) -> Response:
    form, login, roles = visit.form, present.person.login, _roles(visit)
    found = form.with_faults(
        name=None if _is(_NAME, form["name"]) else "staff.fault.name",
        roles=None if roles else "staff.fault.roles",
    )
    if found.faults:
        return visit.faulty(replace(present, form=found))
    changed = change_person(
        visit.parts.database,
        login,
        by=visit.login,
        name=form["name"],
        roles=roles,
        disabled=bool(form["disabled"]),
    )
    match changed:
        case PersonRefused.OWN:
            return visit.page(replace(present, form=form, refusal="staff.refusal.own"), _CONFLICT)
        case PersonRefused():
            raise unknown("login", login)
    return see(f"/people/{login}")


def _invited(visit: Visit, invitation: Invitation) -> Response:
    return visit.page(PersonPage(person=invitation.user, code=invitation.code))


def _roles(visit: Visit) -> Sequence[Role]:
    named = visit.form.all("roles")
    return [role for role in Role if role.value in named]


def _is(kind: TypeAdapter[str], text: str) -> bool:
    try:
        kind.validate_python(text)
    except ValidationError:
        return False
    return True


def _person(visit: Visit) -> PersonPage:
    login = identified(visit, "login", "login")
    found = find_person(visit.parts.database, login)
    if found is None:
        raise unknown("login", login)
    return PersonPage(person=found)


def _staff(visit: Visit) -> StaffPage:
    return StaffPage(people=list_people(visit.parts.database))


ROUTES: Final[tuple[BaseRoute, ...]] = (
    page("/people", show_staff, scope=Scope.ADMIN),
    change("/people", add, scope=Scope.ADMIN),
    page("/people/{login}", show_person, scope=Scope.ADMIN),
    change("/people/{login}", change_somebody, scope=Scope.ADMIN),
)
"""The routes of people."""
