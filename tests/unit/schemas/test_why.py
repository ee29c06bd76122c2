"""Why a person is asked: every code has its words in both languages, with its parameters and no others."""

import string
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.core.language import Language
from schemas.people.why import LONGEST_TEXT, MOST_LISTED, PARAMETERS, Why, WhyCode, why_asked, why_in
from schemas.people.wording import (
    decision_title,
    flag_title,
    intent_title,
    question_of,
    reason_title,
    worded,
    words_in,
)
from statemachine.orders.intents import Level1, Level2
from tools.classifier.taxonomy import Flag
from tools.contact_policy.permission import ForbiddenReason
from tools.dates import Ambiguity

SECTIONS = sorted(words_in(Language.CHINESE))


def placeholders(sentence: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(sentence) if name is not None}


def example(code: WhyCode) -> Why:
    """The code with something in every parameter."""
    return Why(code, {name: f"<{name}>" for name in PARAMETERS[code]})


@pytest.mark.parametrize("section", SECTIONS)
def test_both_languages_have_the_same_keys(section: str) -> None:
    chinese, english = (words_in(language)[section] for language in Language)
    assert chinese.keys() == english.keys()


def test_both_languages_have_the_same_sections() -> None:
    assert [sorted(words_in(language)) for language in Language] == [SECTIONS, SECTIONS]


@pytest.mark.parametrize("language", Language)
def test_every_code_has_words_whose_placeholders_are_its_parameters(language: Language) -> None:
    written = {code: placeholders(words) for code, words in words_in(language)["why"].items()}
    assert written == {code.value: set(PARAMETERS[code]) for code in WhyCode}


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize(
    ("section", "keys"),
    [
        ("intents", [*Level1, *Level2]),
        ("flags", [*Flag]),
        ("ambiguities", [*Ambiguity]),
        ("reasons", [*ForbiddenReason]),
    ],
)
def test_what_is_a_closed_list_elsewhere_has_a_title(
    language: Language, section: str, keys: list[str]
) -> None:
    assert set(keys) <= words_in(language)[section].keys()


def test_every_flag_has_a_code_and_every_forbidden_contact_too() -> None:
    codes = {code.value for code in WhyCode}
    assert {f"flag_{flag}" for flag in Flag} | {*ForbiddenReason} <= codes


@pytest.mark.parametrize("code", WhyCode)
def test_a_code_survives_json_and_is_worded_otherwise_in_the_other_language(code: WhyCode) -> None:
    why = example(code)
    assert Why.of(why.as_document()) == why
    chinese, english = (worded(why, language) for language in Language)
    assert chinese != english
    assert all(f"<{name}>" in sentence for name in PARAMETERS[code] for sentence in (chinese, english))


def test_parameters_are_shown_as_people_read_them() -> None:
    low = Why(WhyCode.LOW_CONFIDENCE, {"confidence": 0.7423, "least": 0.8})
    assert worded(low, Language.ENGLISH) == "confidence 74.23% is below 80%"
    other = Why(WhyCode.RULES_READ_OTHER, {"model": "可上门", "rules": "不再需要"})
    assert worded(other, Language.CHINESE) == "模型读作可上门，规则读作不再需要"
    assert worded(other, Language.ENGLISH) == (
        "the model reads “ready for the visit”, the rules read “no longer needed”"
    )
    named = Why(WhyCode.WORDS_FOR_OTHERS, {"intents": ["暂缓", "终止"]})
    assert worded(named, Language.ENGLISH) == "some of the words speak for postpone, cancel"
    assert question_of([low, named], Language.CHINESE) == "置信度 74.23%，低于 80%；部分话指向暂缓、终止"


def test_a_code_takes_its_own_parameters_only() -> None:
    with pytest.raises(ValueError, match="confidence, least"):
        Why(WhyCode.LOW_CONFIDENCE, {"confidence": 0.5})
    with pytest.raises(ValueError, match="no parameters"):
        Why(WhyCode.UNREADABLE, {"words": "x"})


def test_what_is_long_is_cut() -> None:
    assert len(Why(WhyCode.SCRIPT_INCOMPLETE, {"said": "长" * 9_999}).params["said"]) == LONGEST_TEXT
    assert len(Why(WhyCode.DAYS_OFFERED, {"days": ["2026-03-20"] * 99}).params["days"]) == MOST_LISTED


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(document=json_values | st.fixed_dictionaries({"code": json_values, "params": json_values}))
def test_a_document_that_knows_other_codes_says_nothing(document: object) -> None:
    found = Why.of(document)
    known = isinstance(document, Mapping) and str(document.get("code")) in {*WhyCode}
    assert found is None or known
    assert why_in([document, example(WhyCode.UNREADABLE).as_document()])[-1].code is WhyCode.UNREADABLE


def test_a_failure_is_why_a_person_is_asked_and_not_what_its_step_was_given() -> None:
    before, after = Why(WhyCode.NO_RULE_CONFIRMS), Why(WhyCode.ROUNDS_EXHAUSTED, {"rounds": "5"})
    carried = {"why": [before.as_document()]}
    assert why_asked(carried) == (before,)
    error = {"code": "rounds_exhausted", "message": "已跟进5轮", "why": [after.as_document()]}
    assert why_asked({**carried, "error": error}) == (after,)
    (fallen,) = why_asked({**carried, "error": {"code": "timeout", "message": "nobody has answered"}})
    assert worded(fallen, Language.ENGLISH) == "a step failed (timed out): nobody has answered"


def test_what_has_no_title_is_called_by_its_name() -> None:
    assert reason_title("http_404", Language.CHINESE) == "http_404"
    assert decision_title("approve", Language.ENGLISH) == "approve"
    assert flag_title("emergency", Language.CHINESE) == "人身安全"
    assert intent_title("配件未到", Language.ENGLISH) == "parts have not come"
    assert reason_title("shadow_mode", Language.CHINESE) == "影子模式"
