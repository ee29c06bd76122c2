"""The vocabulary of cancellations: what may be put together of it, and what goes beyond it."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.classifier.vocabulary import UnknownClause, Vocabulary, expand

WORDS = ("取消", "单子", "吧", "谢谢", "^好$")
NEVER = re.compile("(?!)")


def _vocabulary(done: str = "(?!)", unless: str = "(?!)") -> Vocabulary:
    return Vocabulary(
        words=frozenset(WORDS),
        longest=max(map(len, WORDS)),
        done=re.compile(done),
        unless=re.compile(unless),
    )


@given(words=st.lists(st.sampled_from([word for word in WORDS if word[0] != "^"]), min_size=1))
def test_whatever_is_put_together_of_its_words_is_understood(words: list[str]) -> None:
    assert _vocabulary().first_unknown_clause("".join(words), NEVER) is None


@given(before=st.lists(st.sampled_from(WORDS[:4])), after=st.lists(st.sampled_from(WORDS[:4])))
def test_one_other_word_makes_a_stranger(before: list[str], after: list[str]) -> None:
    text = "".join([*before, "改", *after])
    assert _vocabulary().first_unknown_clause(text, NEVER) == UnknownClause(
        clause=text, rest=text[len("".join(before)) :]
    )


def test_every_clause_must_be_understood_for_itself() -> None:
    found = _vocabulary().first_unknown_clause("取消吧，改成周三，谢谢", NEVER)
    assert found == UnknownClause(clause="改成周三", rest="改成周三")


@pytest.mark.parametrize(
    ("text", "is_understood"), [("好，取消吧", True), ("好取消吧", False), ("取消好", False)]
)
def test_a_word_may_be_bound_to_the_whole_clause(text: str, *, is_understood: bool) -> None:
    assert (_vocabulary().first_unknown_clause(text, NEVER) is None) is is_understood


def test_a_plain_statement_of_what_has_happened_is_understood() -> None:
    vocabulary = _vocabulary(done="了$", unless="说")
    assert vocabulary.first_unknown_clause("机器卖了，取消吧", NEVER) is None
    assert vocabulary.first_unknown_clause("他说卖了，取消吧", NEVER) == UnknownClause(
        clause="他说卖了", rest="他说卖了"
    )


def test_a_clause_that_cancels_is_never_a_plain_statement() -> None:
    vocabulary = _vocabulary(done="了$")
    assert vocabulary.first_unknown_clause("你们取消了", re.compile("取消")) == UnknownClause(
        clause="你们取消了", rest="你们取消了"
    )


def test_a_list_stands_for_each_of_its_words_and_may_name_others() -> None:
    lists = {"end": ["$", "<particle>"], "particle": ["了", "吧"]}
    assert expand(["不修<end>"], lists) == {"不修$", "不修了", "不修吧"}


def test_a_list_that_is_not_there_is_named() -> None:
    with pytest.raises(KeyError, match="work"):
        expand(["不<work>"], {})


def test_lists_that_name_one_another_in_a_circle_are_refused() -> None:
    with pytest.raises(ValueError, match="names itself: one → two"):
        expand(["<one>"], {"one": ["<two>"], "two": ["<one>"]})


@pytest.mark.parametrize("word", ["", "^", "$"])
def test_a_word_that_says_nothing_is_refused(word: str) -> None:
    with pytest.raises(ValueError, match="says nothing"):
        expand([word], {})
