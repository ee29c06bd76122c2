"""Product events are a closed list, and each has titles in every language."""

import ast
import string

import pytest

from runtime.settings import PROJECT
from schemas.core.language import Language, language_of
from schemas.orders.signals import SignalType
from schemas.outbound.product_events import ProductEventType, Stage, title_of, titles
from tests.support.source import python_files, tree_of


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_every_language_has_the_same_titles_with_the_same_parameters() -> None:
    chinese, english = (
        {code: placeholders(text) for code, text in titles(language).items()} for language in Language
    )
    assert chinese == english


@pytest.mark.parametrize("language", Language)
def test_every_type_has_a_title_and_every_title_a_type(language: Language) -> None:
    assert {code.partition(".")[0] for code in titles(language)} == set(ProductEventType)


def test_every_type_has_a_stage_and_every_stage_a_type() -> None:
    assert {each.stage for each in ProductEventType} == set(Stage)


def test_every_signal_is_told_of_as_a_signal() -> None:
    assert {ProductEventType(each.value).stage for each in SignalType} == {Stage.SIGNAL}


def test_a_title_is_worded_in_the_language_of_who_asks() -> None:
    code, given = "contact_initiated", {"attempt": 2}
    assert title_of(code, given, Language.CHINESE) == "第2次联系客户"
    assert title_of(code, given, Language.ENGLISH) == "Contacting the customer, attempt 2"


def test_what_was_erased_is_left_out_of_a_title() -> None:
    assert title_of("action_executed.followup", {}, Language.CHINESE) == "已安排跟进: …"


def test_a_code_without_a_title_stands_for_itself() -> None:
    assert title_of("{odd}", {"odd": "x"}, Language.ENGLISH) == "{odd}"


@pytest.mark.parametrize(
    ("header", "language"),
    [
        (None, "zh"),
        ("", "zh"),
        ("en", "en"),
        ("en-GB,en;q=0.8", "en"),
        ("zh-CN,zh;q=0.9,en;q=0.8", "zh"),
        ("en;q=0.5, zh;q=0.7", "zh"),
        ("fr, en;q=0.3", "en"),
        ("fr", "zh"),
        ("en;q=0", "zh"),
        ("*", "zh"),
        ("en;q=nonsense", "zh"),
    ],
)
def test_the_language_is_the_one_that_is_liked_best_and_chinese_otherwise(
    header: str | None, language: str
) -> None:
    assert language_of(header) == language


def test_code_tells_of_events_of_the_list_alone() -> None:
    told = [
        keyword.value
        for path in python_files()
        if path.relative_to(PROJECT).parts[0] in ("tasks", "storage")
        for call in ast.walk(tree_of(path))
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "ProductEvent"
        for keyword in call.keywords
        if keyword.arg in ("event_type", "stage")
    ]
    assert told
    assert all(isinstance(value, ast.Attribute) and value.attr == "value" for value in told)
