"""A script: its text for each channel, its variables, and look-up by name and version."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from schemas.orders.contact import Channel
from tools.channels.script import Template

SEPARATOR: Final = ":"
"""Between a script's name and the version that is pinned."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Variable:
    """A variable: its meaning, its default value, and its greatest length."""

    meaning: str
    default: str | None
    longest: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Wording:
    """The text for one channel.

    Attributes:
        opening: The sentence that says an automatic assistant is calling; comes first.
        text: The words, with gaps as `{product}`.
        templates: The templates approved for these words, by provider.
    """

    opening: str
    text: str
    templates: Mapping[str, Template]

    @property
    def words(self) -> str:
        """The whole text that is spoken or sent, with its variables."""
        return f"{self.opening}{self.text}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """One version of a script; a version never changes once contacts refer to it."""

    script_id: str
    version: int
    language: str
    meaning: str
    variables: Mapping[str, Variable]
    channels: Mapping[Channel, Wording]

    @property
    def reference(self) -> str:
        """The reference to exactly this version."""
        return f"{self.script_id}{SEPARATOR}{self.version}"

    @property
    def digest(self) -> str:
        """The digest of everything that changes the text: words, variables, defaults, templates."""
        contents = {
            "language": self.language,
            "variables": {name: [each.default, each.longest] for name, each in self.variables.items()},
            "channels": {
                channel.value: [
                    each.words,
                    {provider: [t.code, *t.variables] for provider, t in each.templates.items()},
                ]
                for channel, each in self.channels.items()
            },
        }
        return hashlib.sha256(json.dumps(contents, sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Scripts:
    """Every version of every script of an installation."""

    all: Sequence[Script]

    def find(self, reference: str) -> Script | None:
        """Return the newest version of the script of this name, or the version given as `name:version`."""
        script_id, _, version = reference.partition(SEPARATOR)
        versions = [script for script in self.all if script.script_id == script_id]
        if not version:
            return max(versions, key=lambda script: script.version, default=None)
        return next((script for script in versions if str(script.version) == version), None)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all scripts, each once."""
        return tuple(sorted({script.script_id for script in self.all}))
