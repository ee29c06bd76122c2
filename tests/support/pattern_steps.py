"""How many steps a backtracking matcher takes over a text: a measure that no busy machine changes.

It interprets the tree that the standard library parses a pattern into, in the way `re` does: greedy first, back on
failure, every start of the text in turn. Characters are compared by asking `re` itself about one.
"""

import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from re import _constants as op
from re import _parser
from typing import Any

Then = Callable[[int], bool]
_ONE = {op.LITERAL, op.NOT_LITERAL, op.ANY, op.IN}
_REPEATS = {op.MAX_REPEAT, op.MIN_REPEAT, op.POSSESSIVE_REPEAT}


class TooManySteps(Exception):
    """The matcher was still at it after the most steps it may take."""


@dataclass(slots=True)
class StepCounter:
    """Searches one text with one pattern, and counts."""

    text: str
    flags: int
    most: int
    steps: int = 0
    classes: dict[int, "re.Pattern[str]"] = field(default_factory=dict)

    def step(self) -> None:
        self.steps += 1
        if self.steps > self.most:
            raise TooManySteps

    def is_one(self, item: Any, at: int) -> bool:
        """Whether the character at this place is what the item wants."""
        self.step()
        return at < len(self.text) and _takes(_key(item), self.flags, self.text[at])

    def sequence(self, items: list[Any], nth: int, at: int, then: Then) -> bool:  # noqa: C901, PLR0911 - one line a kind
        """Whether the items from the nth on match here, and what follows them too."""
        if nth == len(items):
            return then(at)
        kind, what = items[nth]

        def go_on(place: int) -> bool:
            return self.sequence(items, nth + 1, place, then)

        if kind in _ONE:
            return self.is_one(items[nth], at) and go_on(at + 1)
        self.step()
        if kind is op.AT:
            return self._is_at(what, at) and go_on(at)
        if kind is op.BRANCH:
            return any(self.sequence(list(branch), 0, at, go_on) for branch in what[1])
        if kind is op.SUBPATTERN:
            return self.sequence(list(what[3]), 0, at, go_on)
        if kind is op.ATOMIC_GROUP:
            end = self._first(list(what), at)
            return end is not None and go_on(end)
        if kind in (op.ASSERT, op.ASSERT_NOT):
            return self._looks(what, at) is (kind is op.ASSERT) and go_on(at)
        if kind in _REPEATS:
            return self._repeat(kind, what, at, go_on)
        if kind is op.GROUPREF:
            return go_on(at)
        if kind is op.GROUPREF_EXISTS:
            # Which groups took part is not kept: either way may be gone.
            ways = [list(way) for way in what[1:] if way is not None] + ([[]] if what[2] is None else [])
            return any(self.sequence(way, 0, at, go_on) for way in ways)
        raise NotImplementedError(str(kind))

    def _first(self, items: list[Any], at: int) -> int | None:
        ends: list[int] = []

        def note(end: int) -> bool:
            ends.append(end)
            return True

        return ends[-1] if self.sequence(items, 0, at, note) else None

    def _looks(self, what: Any, at: int) -> bool:
        direction, items = what
        if direction < 0:
            width = items.getwidth()[0]
            return at >= width and self.sequence(list(items), 0, at - width, lambda end: end == at)
        return self.sequence(list(items), 0, at, lambda _: True)

    def _is_at(self, what: Any, at: int) -> bool:
        if what in (op.AT_BEGINNING, op.AT_BEGINNING_STRING):
            return at == 0 or (bool(self.flags & re.MULTILINE) and self.text[at - 1] == "\n")
        if what in (op.AT_END, op.AT_END_STRING):
            return at == len(self.text)
        before = at > 0 and self.text[at - 1].isalnum()
        after = at < len(self.text) and self.text[at].isalnum()
        return (before is not after) is (what is op.AT_BOUNDARY)

    def _repeat(self, kind: Any, what: Any, at: int, go_on: Then) -> bool:
        fewest, most, items = what[0], what[1], list(what[2])
        most = len(self.text) + 1 if most is op.MAXREPEAT else most
        if len(items) == 1 and items[0][0] in _ONE:
            count = 0
            while count < most and self.is_one(items[0], at + count):
                count += 1
            if kind is op.POSSESSIVE_REPEAT:
                return count >= fewest and go_on(at + count)
            counts = range(fewest, count + 1) if kind is op.MIN_REPEAT else range(count, fewest - 1, -1)
            return any(self._and(go_on, at + taken) for taken in counts)
        if kind is op.POSSESSIVE_REPEAT:
            raise NotImplementedError("a possessive repetition of a group")

        def again(place: int, taken: int) -> bool:
            def once_more(end: int) -> bool:
                return end != place and again(end, taken + 1)

            if kind is op.MIN_REPEAT and taken >= fewest and go_on(place):
                return True
            if taken < most and self.sequence(items, 0, place, once_more):
                return True
            return kind is not op.MIN_REPEAT and taken >= fewest and go_on(place)

        return again(at, 0)

    def _and(self, go_on: Then, place: int) -> bool:
        self.step()
        return go_on(place)


def _key(item: Any) -> str:
    return repr(item)


@cache
def _takes(key: str, flags: int, character: str) -> bool:
    """Whether one character is what the item wants."""
    kind, what = _ITEMS[key]
    if kind is op.ANY:
        return character != "\n" or bool(flags & re.DOTALL)
    tree = _parser.parse("")
    tree.append((kind, what))
    from re import _compiler  # type: ignore[attr-defined]

    compiled = _compiler.compile(tree, flags & (re.IGNORECASE | re.UNICODE))
    return compiled.fullmatch(character) is not None


_ITEMS: dict[str, Any] = {}


def _remember(items: Any) -> None:
    for item in items:
        kind, what = item
        if kind in _ONE:
            _ITEMS[_key(item)] = item
        for inner in _inner(kind, what):
            _remember(inner)


def _inner(kind: Any, what: Any) -> Iterator[Any]:
    if kind is op.BRANCH:
        yield from what[1]
    elif kind is op.SUBPATTERN:
        yield what[3]
    elif kind is op.ATOMIC_GROUP:
        yield what
    elif kind in (op.ASSERT, op.ASSERT_NOT):
        yield what[1]
    elif kind in _REPEATS:
        yield what[2]
    elif kind is op.GROUPREF_EXISTS:
        yield from (way for way in what[1:] if way is not None)


def steps_of(pattern: "re.Pattern[str]", text: str, *, most: int) -> int:
    """The steps of finding every match of the pattern in the text, or `most` and one where there would be more."""
    tree = _parser.parse(pattern.pattern, pattern.flags)
    _remember(tree)
    counter = StepCounter(text, pattern.flags, most)
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(20_000)
    try:
        at = 0
        while at <= len(text):
            end = counter._first(list(tree), at)
            at = at + 1 if end is None or end == at else end
    except TooManySteps:
        return most + 1
    finally:
        sys.setrecursionlimit(before)
    return counter.steps


def fragments_of(pattern: "re.Pattern[str]") -> list[str]:
    """Texts that the pattern has something for: what its parts take, alone and joined."""
    tree = _parser.parse(pattern.pattern, pattern.flags)
    _remember(tree)
    alphabet = " \t-.:/@_,*+=0123456789aAbBeEfFrRzZ，。号元中国一三"
    found: list[str] = []

    def walk(items: Any) -> str:
        text = ""
        for kind, what in items:
            if kind in _ONE:
                taken = [c for c in alphabet if _takes(_key((kind, what)), pattern.flags, c)]
                text += chr(what) if kind is op.LITERAL else (taken[0] if taken else "")
                found.extend(taken[:1] + taken[-1:])
            elif kind in _REPEATS:
                text += walk(what[2]) * max(1, min(what[0], 12))
            else:
                inner = [walk(each) for each in _inner(kind, what)]
                text += inner[0] if inner and kind in (op.SUBPATTERN, op.BRANCH) else ""
        if text:
            found.append(text)
        return text

    whole = walk(tree)
    pieces = sorted({piece for piece in [*found, whole] if piece}, key=lambda piece: (-len(piece), piece))
    return pieces[:12]
