"""What customers are told: every version of every script in words, and an edited one before it is used."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

from starlette.responses import Response
from starlette.routing import BaseRoute

from console.server.form import EMPTY, Form
from console.server.route import change, page
from console.server.visit import Visit
from runtime.personal import PersonalFields
from schemas.access.scopes import Scope
from schemas.core.configuration import PolicyFileError, as_file
from schemas.orders.contact import Channel
from tools.scripts.checking import Finding, findings, longest, sms_parts
from tools.scripts.document import load_script
from tools.scripts.rendering import Unrenderable, render
from tools.scripts.script import Script


@dataclass(frozen=True, slots=True, kw_only=True)
class ScriptPreview:
    """What is said on one channel, its gaps filled with their defaults."""

    channel: str
    text: str
    problems: Sequence[str]
    """What is missing where it cannot be said."""
    characters: int
    longest: int
    """Characters when every gap is as long as it may be."""
    parts: int | None
    """Of an SMS, as it is charged."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScriptShown:
    """A version of a script with what is said on each channel."""

    script: Script
    previews: Sequence[ScriptPreview]
    findings: Sequence[Finding]


@dataclass(frozen=True, slots=True, kw_only=True)
class ScriptsPage:
    """Every script, and an edited one."""

    template: ClassVar[str] = "orders/scripts.html"
    page: ClassVar[str] = "policies.scripts"

    scripts: Sequence[ScriptShown]
    form: Form = EMPTY
    wrong: str | None = None
    """Why the edited one could not be used."""
    edited: ScriptShown | None = None


def show_scripts(visit: Visit) -> Response:
    """Every version of every script."""
    return visit.page(ScriptsPage(scripts=_all(visit)))


def check_script(visit: Visit) -> Response:
    """Say what an edited script would tell customers, or what is wrong with it; nothing is kept of it."""
    text, personal = visit.form["text"], visit.parts.personal
    if not text:
        faulty = visit.form.with_faults(text="policies.fault.empty")
        return visit.faulty(ScriptsPage(scripts=_all(visit), form=faulty))
    try:
        with as_file(text, "script.yaml") as path:
            script = load_script(path, personal)
    except PolicyFileError as error:
        return visit.faulty(ScriptsPage(scripts=_all(visit), form=visit.form, wrong=str(error)))
    shown = _shown(script, personal)
    return visit.page(ScriptsPage(scripts=_all(visit), form=visit.form, edited=shown))


def _all(visit: Visit) -> list[ScriptShown]:
    return [_shown(script, visit.parts.personal) for script in visit.parts.context.scripts.all]


def _shown(script: Script, personal: PersonalFields) -> ScriptShown:
    return ScriptShown(
        script=script,
        previews=[_preview(script, channel) for channel in script.channels],
        findings=findings(script, personal),
    )


def _preview(script: Script, channel: Channel) -> ScriptPreview:
    rendered = render(script, channel, {})
    problems = rendered.problems if isinstance(rendered, Unrenderable) else ()
    text = script.channels[channel].words if isinstance(rendered, Unrenderable) else rendered.text
    return ScriptPreview(
        channel=channel.value,
        text=text,
        problems=problems,
        characters=len(text),
        longest=longest(script, script.channels[channel]),
        parts=sms_parts(len(text)) if channel is Channel.SMS else None,
    )


ROUTES: Final[tuple[BaseRoute, ...]] = (
    page("/policies/scripts", show_scripts),
    change("/policies/scripts/check", check_script, scope=Scope.WORKFLOWS),
)
"""The routes of scripts."""
