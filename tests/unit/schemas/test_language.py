"""The language in which somebody is answered."""

import pytest

from schemas.core.language import Language, language_of


@pytest.mark.parametrize(
    ("header", "language"),
    [
        (None, Language.CHINESE),
        ("", Language.CHINESE),
        ("fr-FR, de;q=0.8", Language.CHINESE),
        ("zh-CN,zh;q=0.9,en;q=0.8", Language.CHINESE),
        ("en-GB,en;q=0.9", Language.ENGLISH),
        ("fr, en;q=0.5, zh;q=0.7", Language.CHINESE),
        ("zh;q=0.1, EN;q=0.2", Language.ENGLISH),
        ("en;q=0", Language.CHINESE),
        ("en;q=many", Language.CHINESE),
        ("en;q=0.5, zh;q=0.5", Language.ENGLISH),
    ],
)
def test_a_reader_is_answered_in_the_language_they_like_best(header: str | None, language: Language) -> None:
    assert language_of(header) is language
