"""The routes of logging in: a password for a key of 12 hours, and what a person does about their own."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from api.access.people import view_of
from api.server.authentication import requires
from api.server.errors import documented
from api.server.refusal import Refusal, invalid
from api.server.route import Route
from api.server.services import Caller, ContextServices, GivenParts, kept
from schemas.access.people import (
    CallerView,
    InvitationAccepted,
    LoggedIn,
    LoginAsked,
    PasswordChanged,
    PersonView,
)
from schemas.access.scopes import Scope
from schemas.core.error import Code
from schemas.core.form import Succeeded
from tasks.access.login_tries import COMPARED_AT_ONCE, LoginTries
from tasks.access.people import accept_invitation, change_password, find_person, log_in, log_out

open_router = APIRouter(prefix="/auth", tags=["access"], route_class=Route)
router = APIRouter(prefix="/auth", tags=["access"], route_class=Route)


@dataclass(frozen=True, slots=True)
class LoginLimits(ContextServices):
    """Bounds how often passwords and codes are tried, and how many are compared at the same time."""

    locked_out: Callable[[str], None]
    """Told of the address from which a login was tried too often."""
    comparing: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(COMPARED_AT_ONCE))
    _tries: LoginTries = field(default_factory=LoginTries)

    def admit(self, login: str, address: str) -> None:
        """Count a try.

        Raises:
            Refusal: the login, or the address, was tried too often in this minute (429), whoever it is.
        """
        if not self._tries.is_admitted(login, address):
            self.locked_out(address)
            raise Refusal(
                Code.RATE_LIMITED,
                "too many tries in this minute; try again in the next",
                headers={"Retry-After": "60"},
            )

    def end(self) -> None:
        """Nothing goes on by itself."""

    async def close(self) -> None:
        """Nothing was opened."""


GivenLimits = Annotated[LoginLimits, kept(LoginLimits)]


async def address_of(request: Request) -> str:
    """Where the request comes from."""
    return request.client.host if request.client else ""


Address = Annotated[str, Depends(address_of)]


@open_router.post("/login", summary="Log in", responses=documented(Code.UNAUTHORIZED, Code.RATE_LIMITED))
async def log_in_with_password(
    body: LoginAsked, parts: GivenParts, limits: GivenLimits, address: Address, response: Response
) -> LoggedIn:
    """A key of the person for 12 hours, with what their roles may do at each moment.

    A wrong password, a login of nobody and one that is disabled are answered alike.
    """
    limits.admit(body.login, address)
    async with limits.comparing:
        made = await asyncio.to_thread(log_in, parts.database, body.login, body.password.get_secret_value())
    if made is None:
        raise Refusal(Code.UNAUTHORIZED, "the login and the password do not belong together")
    response.headers["Cache-Control"] = "no-store"
    return LoggedIn(access_token=made.key, expires_at=made.expires_at, person=view_of(made.user))


@open_router.post(
    "/accept",
    summary="Set a password with a code",
    responses=documented(Code.UNAUTHORIZED, Code.RATE_LIMITED),
)
async def set_first_password(
    body: InvitationAccepted, parts: GivenParts, limits: GivenLimits, address: Address
) -> PersonView:
    """The code is used up; whoever was logged in as this person is logged out."""
    limits.admit(body.login, address)
    async with limits.comparing:
        user = await asyncio.to_thread(
            accept_invitation,
            parts.database,
            body.login,
            body.code.get_secret_value(),
            body.password.get_secret_value(),
        )
    if user is None:
        raise Refusal(Code.UNAUTHORIZED, "the login and the code do not belong together, or its time is over")
    return view_of(user)


@router.get("/me", summary="Who is asking", dependencies=[requires(Scope.READ)])
def who_is_asking(parts: GivenParts, caller: Caller) -> CallerView:
    """The owner of the key, and what it may do at this moment."""
    user = None if caller.user_id is None else find_person(parts.database, caller.agent_id)
    return CallerView(
        agent_id=caller.agent_id,
        key_id=caller.key_id,
        scopes=sorted(caller.scopes),
        person=None if user is None else view_of(user),
    )


@router.post(
    "/logout",
    summary="Log out",
    dependencies=[requires(Scope.READ, repeatable=True)],
    responses=documented(Code.STATE_CONFLICT),
)
def end_login(parts: GivenParts, caller: Caller) -> Succeeded:
    """The key lets nobody in any more, 5 seconds from now at the latest. 409 for a key that came of no login."""
    if not log_out(parts.database, caller):
        raise Refusal(Code.STATE_CONFLICT, "this key came of no login; an admin revokes it: /v1/keys")
    return Succeeded()


@router.post(
    "/password",
    summary="Change one's own password",
    dependencies=[requires(Scope.READ, repeatable=True)],
    responses=documented(Code.STATE_CONFLICT),
)
async def change_own_password(
    body: PasswordChanged, parts: GivenParts, caller: Caller, limits: GivenLimits, address: Address
) -> Succeeded:
    """Every other login of the person ends. 409 for a key that is no person's."""
    if caller.user_id is None:
        raise Refusal(Code.STATE_CONFLICT, "this key is no person's and has no password")
    limits.admit(caller.agent_id, address)
    async with limits.comparing:
        is_changed = await asyncio.to_thread(
            change_password,
            parts.database,
            caller.agent_id,
            body.password.get_secret_value(),
            body.new_password.get_secret_value(),
            but=caller.key_id,
        )
    if not is_changed:
        raise invalid([("password", "is not the password")])
    return Succeeded()
