"""A text that was changed, with the place in the original of each of its characters."""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Self

Place = tuple[int, int]
"""From which character of the original to which."""


@dataclass(frozen=True, slots=True)
class TracedText:
    """A changed text; `places` has for each character the piece of the original that it was made of."""

    text: str
    places: Sequence[Place]

    @classmethod
    def of(cls, pieces: Iterable[tuple[str, Place]]) -> Self:
        """The text of these pieces one after another, each made of one place."""
        known = [*pieces]
        return cls("".join(text for text, _ in known), [place for text, place in known for _ in text])

    def sub(self, pattern: re.Pattern[str], replacement: str | Callable[[re.Match[str]], str]) -> Self:
        """What `pattern.sub` makes of the text; what takes the place of a match is made of all of it."""
        texts: list[str] = []
        places: list[Place] = []
        rest = 0
        for found in pattern.finditer(self.text):
            if found.start() == found.end():
                continue
            new = found.expand(replacement) if isinstance(replacement, str) else replacement(found)
            texts += (self.text[rest : found.start()], new)
            places += self.places[rest : found.start()]
            places += [self.place(found.start(), found.end())] * len(new)
            rest = found.end()
        return type(self)("".join((*texts, self.text[rest:])), [*places, *self.places[rest:]])

    def first(self, most: int) -> Self:
        """So many characters of it."""
        return type(self)(self.text[:most], self.places[:most])

    def place(self, start: int, end: int) -> Place:
        """The piece of the original that these characters were made of; there must be one of them."""
        pieces = self.places[start:end]
        return min(begin for begin, _ in pieces), max(finish for _, finish in pieces)
