"""The checklist is a closed list, and every check has its words in both languages."""

import string

import pytest

from schemas.core.language import Language
from schemas.people.readiness import (
    NEVER_KNOWN,
    PARAMETERS,
    SOMETIMES_UNKNOWN,
    CheckCode,
    CheckState,
    Readiness,
    check_list,
)
from schemas.people.wording import words_in

KNOWN = set(CheckCode) - NEVER_KNOWN


def placeholders(sentence: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(sentence) if name is not None}


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize(
    ("section", "codes"),
    [
        ("check_titles", set(CheckCode)),
        ("check_remedies", set(CheckCode)),
        ("check_ok", KNOWN),
        ("check_not_ok", KNOWN),
        ("check_unknown", NEVER_KNOWN | SOMETIMES_UNKNOWN),
    ],
)
def test_a_section_words_the_checks_it_is_for_and_no_others(
    language: Language, section: str, codes: set[CheckCode]
) -> None:
    assert words_in(language)[section].keys() == codes


@pytest.mark.parametrize("section", ["check_ok", "check_not_ok", "check_unknown"])
def test_both_languages_word_a_check_with_the_same_parameters_of_its_own(section: str) -> None:
    chinese, english = (
        {code: placeholders(words) for code, words in words_in(language)[section].items()}
        for language in Language
    )
    assert chinese == english
    assert all(names <= PARAMETERS[CheckCode(code)] for code, names in chinese.items())


def test_a_list_passes_with_what_is_unknown_and_not_with_what_failed() -> None:
    unknown = Readiness(code=CheckCode.BACKUP, state=CheckState.UNKNOWN)
    failed = Readiness(code=CheckCode.LEDGER, state=CheckState.FAILED, params={"number": 2})
    assert check_list([unknown], Language.ENGLISH).passed
    found = check_list([unknown, failed], Language.ENGLISH)
    assert not found.passed
    assert found.checks[1].sentence == "2 orders have no next step"


def test_what_is_well_needs_no_remedy_and_names_are_listed_as_the_language_does() -> None:
    well = Readiness(code=CheckCode.LEDGER, state=CheckState.OK, params={"number": 0})
    away = Readiness(
        code=CheckCode.CHANNELS, state=CheckState.FAILED, params={"names": ["sms", "im"], "hours": 24}
    )
    lines = check_list([well, away], Language.CHINESE).checks
    assert lines[0].remedy is None
    assert lines[1].sentence == "渠道中断: sms、im"
    assert lines[1].remedy
