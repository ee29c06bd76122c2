"""Draws pages: one template a view, and a name that a template uses and its view has not is an error."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache, partial
from pathlib import Path
from typing import Any, ClassVar, Final, Protocol
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from console.server.form import FieldFault
from console.server.navigation import MENU, PREFIX, MenuEntry
from console.server.times import ZONE, day_text, iso, moment_text, real_time, span_text
from console.server.words import Words
from schemas.core.language import Language
from schemas.people.wording import decision_title, intent_title, reason_title
from tasks.access.sessions import ConsoleSession
from tasks.orders.explain.pulse import TopBar

TEMPLATES: Final = Path(__file__).parents[1] / "templates"


class View(Protocol):
    """What a page shows: a frozen dataclass with the name of its template; the template knows it as `view`."""

    template: ClassVar[str]
    """The file below `console/templates`."""
    page: ClassVar[str]
    """The key of its title's words is `PAGE.title`; also the page that the menu marks."""


@dataclass(frozen=True, slots=True)
class Viewer:
    """Whom a page is drawn for."""

    language: Language
    theme: str
    """`light`, `dark`, or empty: as the browser has it."""
    path: str
    """The page's own address with its query, to come back to."""
    session: ConsoleSession | None = None
    bar: TopBar | None = None

    def may(self, scope: str) -> bool:
        """Whether they may do this."""
        return self.session is not None and scope in self.session.scopes

    @property
    def menu(self) -> Sequence[MenuEntry]:
        """The pages they may open."""
        return [entry for entry in MENU if self.may(entry.scope)]


@cache
def environment() -> Environment:
    """Jinja's, made once: everything is escaped, and nothing is undefined."""
    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    made.filters["json_text"] = partial(json.dumps, ensure_ascii=False, indent=2, default=str)
    return made


def draw(view: View, words: Words, viewer: Viewer) -> str:
    """The page as HTML."""
    template = environment().get_template(view.template)
    return template.render(view=view, **helpers(words, viewer))


def helpers(words: Words, viewer: Viewer) -> dict[str, Any]:
    """What every template knows beside its view."""
    return {
        "t": words,
        "viewer": viewer,
        "language": words.language.value,
        "prefix": PREFIX,
        "token": viewer.session.form_token if viewer.session else "",
        "moment": _moment(viewer),
        "day": _day(words.language),
        "span": _span(words),
        "fault": _fault(words),
        "reason_title": partial(reason_title, language=words.language),
        "intent_title": partial(intent_title, language=words.language),
        "decision_title": partial(decision_title, language=words.language),
    }


def _moment(viewer: Viewer) -> Callable[..., Markup]:
    def moment(when: datetime | None, *, real: bool = False, zone: ZoneInfo = ZONE) -> Markup:
        """A business moment, its real time on hover; with `real`, a moment of the database's clock."""
        if when is None:
            return Markup("—")
        shown = moment_text(when, viewer.language, zone)
        hover = shown if real or viewer.bar is None else real_time(when, viewer.bar.moments.anchor)
        return Markup('<time datetime="{}" title="{}">{}</time>').format(iso(when), hover, shown)

    return moment


def _day(language: Language) -> Callable[[date], str]:
    return lambda when: day_text(when, language)


def _span(words: Words) -> Callable[[float], str]:
    return lambda seconds: span_text(seconds, words.language)


def _fault(words: Words) -> Callable[[FieldFault | None], Markup]:
    def fault(found: FieldFault | None) -> Markup:
        """What is wrong with a field, as it stands beside it; nothing where nothing is."""
        if found is None:
            return Markup()
        return Markup('<span class="fault" role="alert">{}</span>').format(
            escape(words(found.key, **found.given))
        )

    return fault
