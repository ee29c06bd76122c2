"""One request of somebody who is logged in, and the answers there are to it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from api.server.middleware.request_id import request_id_of
from console.server.form import EMPTY, Form
from console.server.navigation import PREFIX
from console.server.parts import ConsoleParts
from console.server.rendering import View, Viewer, draw
from console.server.words import Words, words_of
from schemas.core.language import Language
from storage.people.answers import Respondent
from tasks.access.sessions import ConsoleSession
from tasks.forms import TaskForms
from tasks.orders.explain.pulse import top_bar

LANGUAGE_COOKIE: Final = "unpend_language"
THEME_COOKIE: Final = "unpend_theme"
SEE_OTHER: Final = 303
UNPROCESSABLE: Final = 422


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """A request, who makes it, and what the process works with."""

    request: Request
    parts: ConsoleParts
    forms: TaskForms
    session: ConsoleSession
    form: Form = field(default=EMPTY)

    @property
    def language(self) -> Language:
        """The language that the person has chosen; Chinese until they do."""
        return language_of_request(self.request)

    @property
    def words(self) -> Words:
        """The words of that language."""
        return words_of(self.language)

    @property
    def path(self) -> Mapping[str, str]:
        """What stands in the places of the route's path."""
        return self.request.path_params

    @property
    def query(self) -> Mapping[str, str]:
        """What stands in the query; the last of each name."""
        return self.request.query_params

    @property
    def request_id(self) -> str:
        """The request's id."""
        return request_id_of(self.request.scope)

    @property
    def respondent(self) -> Respondent:
        """The person as one who answers questions."""
        return Respondent(name=self.session.login, roles=self.session.roles, has_login=True)

    @property
    def login(self) -> str:
        """By this name history keeps what they do."""
        return self.session.login

    def may(self, scope: str) -> bool:
        """Whether they may do this."""
        return scope in self.session.scopes

    def page(self, view: View, status: int = 200) -> Response:
        """Answer with a page."""
        viewer = Viewer(
            language=self.language,
            theme=theme_of_request(self.request),
            path=address_of_request(self.request),
            session=self.session,
            bar=top_bar(self.parts.database),
        )
        return HTMLResponse(draw(view, self.words, viewer), status)

    def faulty(self, view: View) -> Response:
        """Answer with the page of a form that cannot be taken as it is: nothing was changed."""
        return self.page(view, UNPROCESSABLE)


def see(path: str) -> Response:
    """Let the browser go to a page of ours after a change (RFC 9110 §15.4.4)."""
    return RedirectResponse(PREFIX + path, SEE_OTHER)


def language_of_request(request: Request) -> Language:
    """The language of the browser's cookie; Chinese where it has none of ours."""
    chosen = request.cookies.get(LANGUAGE_COOKIE, "")
    return Language(chosen) if chosen in list(Language) else Language.CHINESE


def theme_of_request(request: Request) -> str:
    """The theme of the browser's cookie; empty: as the browser has it."""
    chosen = request.cookies.get(THEME_COOKIE, "")
    return chosen if chosen in {"light", "dark"} else ""


def address_of_request(request: Request) -> str:
    """The path of a request with its query."""
    query = request.url.query
    return request.url.path + (f"?{query}" if query else "")


def own_address(given: str) -> str:
    """A page of ours that somebody is to come back to; the first one where it is none of ours."""
    parts = urlsplit(given)
    is_own = not parts.scheme and not parts.netloc and given.startswith(f"{PREFIX}/") and "\\" not in given
    return given if is_own else f"{PREFIX}/"
