"""The language of sentences for people is read from `Accept-Language`."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.core.language import Language, language_of


@pytest.mark.parametrize(
    ("header", "language"),
    [
        (None, Language.CHINESE),
        ("", Language.CHINESE),
        ("fr", Language.CHINESE),
        ("*", Language.CHINESE),
        ("en", Language.ENGLISH),
        ("EN-gb", Language.ENGLISH),
        ("zh-CN,zh;q=0.9,en;q=0.8", Language.CHINESE),
        ("en-US,en;q=0.9,zh-CN;q=0.8", Language.ENGLISH),
        ("zh;q=0.3, en;q=0.7", Language.ENGLISH),
        ("en;q=0", Language.CHINESE),
        ("en;q=much", Language.CHINESE),
        ("fr, en;q=0.1", Language.ENGLISH),
        ("ending", Language.CHINESE),
    ],
)
def test_the_preferred_of_our_languages_is_taken(header: str | None, language: Language) -> None:
    assert language_of(header) is language


@given(st.text())
def test_any_header_leads_to_a_language(header: str) -> None:
    assert language_of(header) in Language
