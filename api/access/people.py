"""The routes of people: added, changed, disabled, invited."""

from typing import Annotated, Final

from fastapi import APIRouter, Path, Response

from api.server.actor import Actor
from api.server.authentication import requires
from api.server.errors import documented
from api.server.refusal import Refusal, unknown
from api.server.route import Route
from api.server.services import GivenParts
from schemas.access.people import (
    LoginName,
    PersonAsked,
    PersonChanged,
    PersonInvited,
    PersonList,
    PersonView,
)
from schemas.access.scopes import Scope
from schemas.core.error import Code
from storage.access.users import User
from tasks.access.people import PersonRefused, add_person, change_person, invite_person, list_people

router = APIRouter(prefix="/people", tags=["access"], route_class=Route)

Login = Annotated[LoginName, Path(description="The name the person logs in with.", examples=["wangfang"])]


@router.get("", summary="Who works here", dependencies=[requires(Scope.ADMIN)])
def list_everybody(parts: GivenParts) -> PersonList:
    """Everybody there is or was, by login, with their roles."""
    return PersonList(people=[view_of(user) for user in list_people(parts.database)])


@router.post(
    "",
    summary="Add a person",
    status_code=201,
    # No answer of this route is kept for a repetition: it holds the code.
    dependencies=[requires(Scope.ADMIN, repeatable=True)],
    responses=documented(Code.STATE_CONFLICT),
)
def add_somebody(body: PersonAsked, parts: GivenParts, actor: Actor, response: Response) -> PersonInvited:
    """The code is in this answer and in no other; with it they set a password within three days.

    409 where the login is or was somebody's, or an agent or system has the name.
    """
    added = add_person(parts.database, body.login, body.name, body.roles, by=actor)
    if isinstance(added, PersonRefused):
        raise _refused(added, body.login)
    response.headers["Cache-Control"] = "no-store"
    return PersonInvited(person=view_of(added.user), code=added.code)


@router.patch(
    "/{login}",
    summary="Change a person",
    dependencies=[requires(Scope.ADMIN)],
    responses=documented(Code.NOT_FOUND, Code.STATE_CONFLICT),
)
def change_somebody(login: Login, body: PersonChanged, parts: GivenParts, actor: Actor) -> PersonView:
    """Their keys may do what their roles may from within 5 seconds on; who is disabled is let in no more.

    409 for who would take from themselves what they are let in by.
    """
    changed = change_person(
        parts.database, login, by=actor, name=body.name, roles=body.roles, disabled=body.disabled
    )
    if isinstance(changed, PersonRefused):
        raise _refused(changed, login)
    return view_of(changed)


@router.post(
    "/{login}/invite",
    summary="Let a person set a password",
    dependencies=[requires(Scope.ADMIN, repeatable=True)],
    responses=documented(Code.NOT_FOUND),
)
def invite_somebody(login: Login, parts: GivenParts, actor: Actor, response: Response) -> PersonInvited:
    """A new code in place of any before; a password they have holds until they set another."""
    invited = invite_person(parts.database, login, by=actor)
    if isinstance(invited, PersonRefused):
        raise _refused(invited, login)
    response.headers["Cache-Control"] = "no-store"
    return PersonInvited(person=view_of(invited.user), code=invited.code)


def view_of(user: User) -> PersonView:
    """The person as answers show them."""
    return PersonView.model_validate(user)


def _refused(why: PersonRefused, login: str) -> Refusal:
    if why is PersonRefused.UNKNOWN:
        return unknown("login", login)
    return Refusal(Code.STATE_CONFLICT, _SAID[why].format(login=login), details={"login": login})


_SAID: Final = {
    PersonRefused.OWN: "nobody disables themselves or takes the role admin from themselves; another admin does",
    PersonRefused.TAKEN: "'{login}' is or was somebody's name already; choose another",
}
