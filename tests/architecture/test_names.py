"""Public names are the field's terms: no wit, no class name twice, and the README's glossary is of words we use."""

import ast
import re
from pathlib import Path
from typing import Final

import pytest

from runtime.settings import PROJECT
from tests.architecture.public_names import classes, files_of, names_in, public_names, words_of
from tests.support.source import MIGRATIONS, PACKAGES, python_files, tree_of

HOLDING: Final = tuple(f"{package}/" for package in PACKAGES)

BANNED: Final = {
    "told": "notified, reported, recorded",
    "tell": "notify, report, print",
    "tells": "notifies, reports, prints",
    "telling": "notifying",
    "hear": "receive",
    "hears": "receives",
    "heard": "received, reply",
    "door": "entry point, deployment",
    "doors": "entry points",
    "errand": "action request",
    "errands": "action requests",
    "standing": "status, in force",
    "standings": "statuses",
    "outlook": "next step",
    "lawful": "permitted",
    "lawfulness": "contact constraints",
    "stranger": "unknown",
    "strangers": "failed logins",
    "verdict": "decision, result",
    "verdicts": "decisions, results",
    "happening": "event",
    "happenings": "events",
    "wish": "request",
    "wishes": "requests, options",
    "heed": "follow",
    "bite": "chunk",
    "hasten": "bring forward",
    "hastened": "brought forward",
    "surrender": "release",
    "pongs": "pings",
    "patience": "timeout",
    "visitor": "connection",
    "restate": "update",
    "onward": "next",
    "leap": "time jump",
    "leaper": "time jump",
}
"""Words that a reader must guess at, with the terms to use instead."""

SAME_NAME: Final[dict[str, str]] = {}
"""Class names that two contexts rightly share, with the reason."""

ON_THE_WIRE: Final = {"TaskTaken.verdict", "ItemTaken.verdict"}
"""Fields of HTTP bodies, which keep their names."""

README: Final = PROJECT / "README.md"


def glossary() -> dict[str, str]:
    """The README's words with their meanings."""
    text = README.read_text(encoding="utf-8")
    table = text.partition("<!-- glossary -->")[2].partition("<!-- /glossary -->")[0]
    rows = [[cell.strip() for cell in line.strip().strip("|").split("|")] for line in table.splitlines()]
    return {row[0].replace("*", ""): row[1] for row in rows if len(row) == 3 and row[0].startswith("**")}


def vocabulary() -> str:
    """Every word of public names and of docstrings, in the order they stand, in small letters."""
    found: list[str] = []
    for path in python_files():
        for name in public_names(path):
            found += [*words_of(name.name), "."]
        for node in ast.walk(tree_of(path)):
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                found += [*re.findall(r"[a-z]+", (ast.get_docstring(node) or "").lower()), "."]
    return f" {' '.join(found)} "


def spelling(entry: str) -> re.Pattern[str]:
    """How the words of an entry may stand in the code: in any number or tense, `follow-up` also as one word."""
    forms = [
        r"\w* ?".join(word.removesuffix("y") for word in re.findall("[a-z]+", each.lower()))
        for each in entry.split(" / ")
    ]
    return re.compile(rf" (?:{'|'.join(forms)})")


@pytest.mark.parametrize("folder", HOLDING)
def test_public_names_are_plain(folder: str) -> None:
    found = [
        f"{name.where}: not {word!r} but {BANNED[word]}"
        for path in files_of(folder)
        if path.parent != MIGRATIONS
        for name in public_names(path)
        if name.qualified not in ON_THE_WIRE
        for word in words_of(name.name)
        if word in BANNED
    ]
    assert found == []


def test_no_class_name_stands_for_two_things() -> None:
    twice = {
        name: [each.where for each in places]
        for name, places in classes(*HOLDING).items()
        if len(places) > 1 and name not in SAME_NAME
    }
    assert twice == {}


def test_a_name_that_is_allowed_twice_is_there_twice() -> None:
    everywhere = classes(*(f"{package}/" for package in PACKAGES))
    assert [name for name in SAME_NAME if len(everywhere.get(name, [])) < 2] == []


def test_the_glossary_holds_each_word_once_and_none_that_is_banned() -> None:
    words = [word for entry in glossary() for word in entry.split(" / ")]
    assert len(words) > 40
    assert len(words) == len(set(words))
    assert [word for word in words if set(words_of(word)) & BANNED.keys()] == []


def test_every_word_of_the_glossary_is_a_word_of_the_code() -> None:
    said = vocabulary()
    assert [entry for entry in glossary() if not spelling(entry).search(said)] == []


def test_a_word_is_found_in_either_case_and_in_every_kind_of_name() -> None:
    source = (
        "class HeardWords:\n    told_at: str\n    TELL = 1\n    def _door(self): ...\n    def errand(self): ...\n"
        "class _Stranger:\n    def outlook(self): ...\n"
    )
    names = [name.name for name in names_in(Path("x.py"), ast.parse(source).body)]
    assert names == ["HeardWords", "told_at", "TELL", "errand"]
    assert [words_of(name) for name in names] == [["heard", "words"], ["told", "at"], ["tell"], ["errand"]]
    assert words_of("HTTPDoor2") == ["http", "door", "2"]
