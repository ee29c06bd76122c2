"""What explains an order has its words in both languages, with the same places for what differs."""

import ast
import string
from collections.abc import Iterator
from pathlib import Path

import pytest

from runtime.settings import PROJECT
from schemas.core.language import Language
from schemas.orders.contact import Channel, ContactResult
from schemas.orders.explain.sentence import Named, SentenceCode
from schemas.orders.explain.words import name_of, words_in


def placeholders(sentence: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(sentence) if name is not None}


def places(language: Language) -> dict[str, dict[str, set[str]]]:
    return {
        section: {key: placeholders(words) for key, words in found.items()}
        for section, found in words_in(language).items()
    }


def test_both_languages_have_the_same_words_and_placeholders() -> None:
    assert places(Language.CHINESE) == places(Language.ENGLISH)


@pytest.mark.parametrize("language", Language)
def test_every_sentence_has_words(language: Language) -> None:
    assert sorted(words_in(language)["sentences"]) == sorted(SentenceCode)


@pytest.mark.parametrize("language", Language)
def test_every_channel_and_every_result_has_a_name(language: Language) -> None:
    for kind, codes in ((Named.CHANNEL, Channel), (Named.RESULT, ContactResult)):
        assert words_in(language)[kind].keys() >= set(codes)


def test_what_has_no_name_stands_for_itself() -> None:
    assert name_of(Named.RESULT, "swallowed", Language.CHINESE) == "swallowed"


def sayings(path: Path) -> Iterator[tuple[set[str], set[str], bool]]:
    """Where a sentence is said: its codes, the names of its parameters, and whether these are all of them."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        match node:
            case ast.Call(func=ast.Name(id="say"), args=[ast.Attribute() | ast.IfExp() as first]):
                codes = {part.attr for part in ast.walk(first) if isinstance(part, ast.Attribute)}
                names = {each.arg for each in node.keywords if each.arg is not None}
                yield codes & set(SentenceCode.__members__), names, len(names) == len(node.keywords)


def test_whoever_says_a_sentence_gives_it_its_parameters() -> None:
    words, said = words_in(Language.ENGLISH)["sentences"], 0
    for path in (PROJECT / "tasks" / "orders" / "explain").glob("*.py"):
        for codes, names, are_all in sayings(path):
            for code in codes:
                needed = placeholders(words[SentenceCode[code]])
                assert names == needed if are_all else names <= needed, code
                said += 1
    assert said > len(SentenceCode) / 2
