"""Takes secrets out of what the other side says: it may send back what it was sent."""

import base64
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, Self
from urllib.parse import quote, quote_plus

HIDDEN: Final = "***"
"""What stands for a secret."""


@dataclass(frozen=True, slots=True)
class Mask:
    """The secrets, in every form in which they are usually sent back."""

    _forms: tuple[str, ...] = field(default=(), repr=False)

    @classmethod
    def of(cls, secrets: Iterable[str]) -> Self:
        """A mask for these secrets; an empty one is none."""
        forms = {form for secret in secrets if secret for form in _forms_of(secret)}
        # The longest first: one secret may be the beginning of another.
        return cls(tuple(sorted(forms, key=lambda form: (-len(form), form))))

    def text(self, text: str) -> str:
        """The text without secrets."""
        for form in self._forms:
            if form in text:
                text = text.replace(form, HIDDEN)
        return text

    def holds(self, text: str) -> bool:
        """Whether a secret stands in this text."""
        return any(form in text for form in self._forms)

    def value(self, value: object) -> object:
        """A value of JSON without secrets, in names and numbers, too."""
        if not self._forms:
            return value
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            return {self.text(str(key)): self.value(each) for key, each in value.items()}
        if isinstance(value, list):
            return [self.value(each) for each in value]
        if isinstance(value, (int, float)) and self.holds(str(value)):
            return HIDDEN
        return value


def _forms_of(secret: str) -> set[str]:
    return {
        secret,
        quote(secret, safe=""),
        quote(secret),
        quote_plus(secret),
        json.dumps(secret)[1:-1],
        base64.b64encode(secret.encode()).decode(),
    }
