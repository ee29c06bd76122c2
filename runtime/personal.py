"""Personal fields of JSON: found by their names at any depth, masked, and taken out."""

import re
import unicodedata
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final, NamedTuple, Self

HIDDEN: Final = "****"
"""What is shown of a value of which nothing is shown."""

LONGEST_NAME: Final = 64
"""Characters the name of a personal field may have; longer names are not looked at."""

_SEPARATORS: Final = re.compile(r"[\W_]+")


class Divided(NamedTuple):
    """A JSON value divided into what may be shown, and the personal values at the same places."""

    shown: Any
    taken: Any
    """Objects and lists with nothing but what was taken out of them; `None` where nothing was."""


@dataclass(frozen=True, slots=True)
class PersonalFields:
    """The names of fields whose values are personal.

    Upper and lower case, separators and a number at the end make no difference: `Customer-Name`, `customerName` and
    `customer_name_2` are one name.
    """

    names: frozenset[str] = field(default=frozenset())
    """Plain names of fields that hold a person's name: its first character is shown."""
    others: frozenset[str] = field(default=frozenset())
    """Plain names of fields of which nothing is shown."""

    @classmethod
    def of(cls, names: Collection[str], others: Collection[str]) -> Self:
        """Take the names as they are written."""
        return cls(frozenset(map(plain_name, names)), frozenset(map(plain_name, others)))

    def holds(self, name: str) -> bool:
        """Whether a field of this name is personal."""
        plain = plain_name(name) if len(name) <= LONGEST_NAME else ""
        return plain in self.names or plain in self.others

    def mask(self, value: Any) -> Any:
        """A JSON value with its personal values masked, at any depth."""
        return self.divide(value).shown

    def mask_value(self, name: str, value: Any) -> Any:
        """What is shown of the value of a personal field.

        What is masked already stays as it is; so does what tells nothing: null, true, false, an empty value.
        """
        if value is None or isinstance(value, bool) or value in ([], {}):
            return value
        text = value.strip() if isinstance(value, str) else None
        if text is not None and not text.strip("*"):
            return value
        return f"{text[0]}**" if text and len(text) > 1 and plain_name(name) in self.names else HIDDEN

    def divide(self, value: Any) -> Divided:
        """Divide a JSON value into what may be shown of it and what is personal in it."""
        match value:
            case Mapping():
                return self._divide_object(value)
            case list() | tuple():
                parts = [self.divide(inner) for inner in value]
                if all(part.taken is None for part in parts):
                    return Divided([part.shown for part in parts], None)
                return Divided([part.shown for part in parts], [part.taken for part in parts])
            case _:
                return Divided(value, None)

    def _divide_object(self, value: Mapping[str, Any]) -> Divided:
        shown, taken = {}, {}
        for name, inner in value.items():
            if self.holds(name):
                shown[name] = self.mask_value(name, inner)
                if shown[name] != inner:
                    taken[name] = inner
            else:
                shown[name], further = self.divide(inner)
                if further is not None:
                    taken[name] = further
        return Divided(shown, taken or None)


@lru_cache(maxsize=2048)
def plain_name(name: str) -> str:
    """A field's name without what makes no difference."""
    return _SEPARATORS.sub("", unicodedata.normalize("NFKC", name).casefold()).rstrip("0123456789")


def merged(former: Any, taken: Any) -> Any:
    """What was taken out of a value at two times, as one; where both hold something, the former counts."""
    match former, taken:
        case Mapping(), Mapping():
            return {**taken, **{name: merged(inner, taken.get(name)) for name, inner in former.items()}}
        case list(), list():
            longest = max(len(former), len(taken))
            ends = ([*each, *[None] * (longest - len(each))] for each in (former, taken))
            return [merged(*pair) for pair in zip(*ends, strict=True)]
        case _:
            return taken if former is None else former
