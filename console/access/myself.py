"""One's own page: who one is here, what one may do, and another password."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

from pydantic import TypeAdapter, ValidationError
from starlette.responses import Response
from starlette.routing import BaseRoute

from console.server.form import EMPTY, Form
from console.server.route import change, page
from console.server.services import services_of
from console.server.visit import Visit
from schemas.access.people import Password
from tasks.access.people import change_password

_PASSWORD: Final = TypeAdapter(Password)


@dataclass(frozen=True, slots=True, kw_only=True)
class MyselfPage:
    """The person who looks; a password is never shown again."""

    template: ClassVar[str] = "access/myself.html"
    page: ClassVar[str] = "myself"

    roles: Sequence[str]
    scopes: Sequence[str]
    form: Form = EMPTY
    is_changed: bool = False


def show_myself(visit: Visit) -> Response:
    """Who one is."""
    return visit.page(_page(visit))


def set_password(visit: Visit) -> Response:
    """Set another password; every other login of the person ends."""
    form = visit.form
    old, new, again = ("".join(form.all(name)[-1:]) for name in ("password", "new_password", "again"))
    services = services_of(visit.request)
    if new != again:
        return visit.faulty(_page(visit, form.with_faults(again="myself.again")))
    try:
        _PASSWORD.validate_python(new)
    except ValidationError:
        return visit.faulty(_page(visit, form.with_faults(new_password="access.invitation.length")))  # noqa: S106 - the key of words
    address = visit.request.client.host if visit.request.client else ""
    if not services.tries.is_admitted(visit.login, address):
        return visit.faulty(_page(visit, form.with_faults(password="access.login.too_many")))  # noqa: S106 - the key of words
    if not change_password(visit.parts.database, visit.login, old, new, but=visit.session.session_id):
        return visit.faulty(_page(visit, form.with_faults(password="myself.wrong")))  # noqa: S106 - the key of words
    return visit.page(_page(visit, is_changed=True))


def _page(visit: Visit, form: Form = EMPTY, *, is_changed: bool = False) -> MyselfPage:
    session = visit.session
    return MyselfPage(
        roles=sorted(session.roles), scopes=sorted(session.scopes), form=form, is_changed=is_changed
    )


ROUTES: Final[tuple[BaseRoute, ...]] = (
    page("/me", show_myself),
    change("/me/password", set_password),
)
"""The routes of one's own page."""
