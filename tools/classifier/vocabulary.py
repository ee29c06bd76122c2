"""Checks that every word of a cancellation is understood; finds the first clause that is not."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product

_PLACEHOLDER = re.compile(r"<([a-z_]+)>")
_CLAUSE_END = re.compile(r"[，？]")
_START, _END = "^", "$"


@dataclass(frozen=True, slots=True, kw_only=True)
class UnknownClause:
    """A clause that is not understood, with its part from the first unknown word."""

    clause: str
    rest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Vocabulary:
    """The words that a cancellation may consist of.

    `words` may stand side by side in a clause; `^` and `$` in them are its beginning and its end. A clause that
    does not cancel may also state that something is done: it matches `done` and nothing of `unless`.
    """

    words: frozenset[str]
    longest: int
    done: re.Pattern[str]
    unless: re.Pattern[str]

    def first_unknown_clause(self, text: str, cancel_words: re.Pattern[str]) -> UnknownClause | None:
        """Return the first clause of `text` (a normal form) that is not understood."""
        for clause in _CLAUSE_END.split(text):
            if clause and (rest := self._beyond(clause)) and not self._is_done(clause, cancel_words):
                return UnknownClause(clause=clause, rest=rest)
        return None

    def _is_done(self, clause: str, cancel_words: re.Pattern[str]) -> bool:
        return bool(
            self.done.search(clause) and not self.unless.search(clause) and not cancel_words.search(clause)
        )

    def _beyond(self, clause: str) -> str:
        marked = f"{_START}{clause}{_END}"
        # Places up to which the clause can be put together; the beginning and the end may also stand alone.
        reached = {0, 1}
        for place in range(len(marked)):
            if place in reached:
                for end in range(place + 1, min(place + self.longest, len(marked)) + 1):
                    if marked[place:end] in self.words:
                        reached.add(end)
        farthest = max(reached)
        return "" if farthest >= len(marked) - 1 else marked[max(farthest, 1) : -1]


def expand(words: Sequence[str], lists: Mapping[str, Sequence[str]]) -> frozenset[str]:
    """Return all forms of `words`, in which `<name>` stands for each word of that list in turn.

    Raises:
        KeyError: a list is not there.
        ValueError: a word or an entry of a list is empty or no text, or lists name one another in a circle.
    """
    expanded = frozenset(form for word in words for form in _forms(word, lists, ()))
    for word in sorted(expanded):
        if not word.strip(_START + _END):
            raise ValueError(f"understood holds the word {word!r}, which says nothing")
    return expanded


def _forms(word: str, lists: Mapping[str, Sequence[str]], within: tuple[str, ...]) -> list[str]:
    if not isinstance(word, str):
        raise ValueError(f"understood holds {word!r}, which is no text; quote it")  # noqa: TRY004 - a bad value in a file
    parts: list[list[str]] = []
    for index, part in enumerate(_PLACEHOLDER.split(word)):
        if index % 2 == 0:
            parts.append([part])
        elif part in within:
            raise ValueError(f"the list {part} of understood names itself: {' → '.join((*within, part))}")
        else:
            parts.append([form for entry in lists[part] for form in _forms(entry, lists, (*within, part))])
    return ["".join(chosen) for chosen in product(*parts)]
