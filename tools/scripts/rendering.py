"""Fills in a script for one order: the text for the customer, or what is missing."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from schemas.orders.contact import Channel
from tools.scripts.script import Script

GAP: Final = re.compile(r"\{([^{}]*)\}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """A script's text, filled in.

    Attributes:
        text: Everything that is spoken or sent, the opening first.
        variables: What filled the gaps, also for templates that a provider fills itself.
    """

    text: str
    variables: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Unrenderable:
    """Why a script cannot be filled in; each problem is a sentence for people, in Chinese."""

    problems: tuple[str, ...]


def render(script: Script, channel: Channel, given: Mapping[str, object]) -> Rendered | Unrenderable:
    """Return the script's text for this channel.

    Args:
        script: The script.
        channel: How the customer is contacted.
        given: What is known, by a variable's name; what no variable names is not looked at. A value that is
            no text, is empty, or is longer than its variable allows is replaced by the default.
    """
    wording = script.channels.get(channel)
    if wording is None:
        return Unrenderable((f"话术 {script.reference} 没有 {channel.value} 渠道的文案",))
    filled: dict[str, str] = {}
    problems: list[str] = []
    for name, variable in script.variables.items():
        value = _usable(given.get(name), variable.longest) or variable.default
        if value is None:
            problems.append(f"话术 {script.reference} 缺少变量 {name} ({variable.meaning})")
        else:
            filled[name] = value
    if problems:
        return Unrenderable(tuple(problems))
    return Rendered(text=GAP.sub(lambda gap: filled[gap[1]], wording.words), variables=filled)


def _usable(value: object, longest: int) -> str | None:
    """The value as one line, unless it is none that can be said to a customer."""
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        return None
    line = " ".join(str(value).split())
    return line if line and len(line) <= longest else None
