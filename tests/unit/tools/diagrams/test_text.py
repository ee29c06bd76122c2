"""Text of a diagram: in lines that fit, with nothing lost but what does not fit."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.tools.bpmn_models import names
from tools.diagrams.text import lines_of, shown, width_of


@given(st.one_of(names, st.text(max_size=80)), st.floats(20, 200), st.integers(1, 5))
def test_lines_are_no_wider_and_no_more_than_asked_for(text: str, width: float, most: int) -> None:
    lines = lines_of(text, 12, width, most)
    assert len(lines) <= most
    assert all(width_of(line, 12) <= width or len(line) <= 2 for line in lines)


@given(names, st.floats(40, 200))
def test_nothing_but_white_space_is_lost_where_there_is_room(text: str, width: float) -> None:
    lines = lines_of(text, 12, width, 1_000)
    assert "".join(lines).replace(" ", "") == shown(text).replace(" ", "")


def test_a_chinese_character_is_as_wide_as_it_is_high() -> None:
    assert width_of("客户", 12) == 24


def test_a_line_does_not_begin_with_a_comma() -> None:
    assert lines_of("等待配件到，再联系", 12, 60, 9) == ("等待配件", "到，再联系")


def test_words_stay_whole_where_they_fit() -> None:
    assert lines_of("send the message", 12, 60, 9) == ("send the", "message")


def test_what_does_not_fit_ends_with_dots() -> None:
    assert lines_of("一二三四五六七八九十", 12, 36, 2) == ("一二三", "四五…")


@pytest.mark.parametrize(("text", "seen"), [("a\n\t b", "a b"), ("\u202eab", "ab"), ("\x00", "\ufffd")])
def test_only_what_can_be_seen_is_shown(text: str, seen: str) -> None:
    assert shown(text) == seen
