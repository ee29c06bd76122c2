"""The words of the daily report: all that it may name has some, in both languages."""

import re

import pytest

from schemas.core.language import Language
from schemas.orders.contact import Channel
from schemas.orders.explain.words import words_in
from statemachine.orders.states import OPEN_STATES
from tasks.forms import EntryPoint
from tasks.orders.explain.daily_words import _WORDS, DailyWords

NAMED = [
    *(("state", state.value) for state in sorted(OPEN_STATES)),
    *(("source", entry.value) for entry in EntryPoint),
    *(("reason", reason) for reason in words_in(Language.CHINESE)["finished"]),
    *(("channel", channel.value) for channel in Channel),
]


@pytest.mark.parametrize(("kind", "name"), NAMED)
def test_whatever_is_counted_has_a_name_in_chinese(kind: str, name: str) -> None:
    assert not DailyWords(Language.CHINESE).called(kind, name).isascii()


def test_what_nobody_foresaw_keeps_its_own_name() -> None:
    assert DailyWords(Language.CHINESE).called("reason", "of_a_later_version") == "of_a_later_version"


def test_both_languages_say_the_same_places() -> None:
    for code, said in _WORDS.items():
        chinese, english = (set(re.findall(r"{(\w+)}", words)) for words in said)
        assert chinese == english, code
        assert all(said), code
        assert said[1].isascii() or "·" in said[1], code
