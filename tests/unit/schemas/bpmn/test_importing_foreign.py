"""Expressions and times of other tools: read where they say what ours say, left open where they do not."""

import pytest

from schemas.core.bpmn.mapping.foreign.expressions import UnreadableExpression, condition_of, value_of
from schemas.core.bpmn.mapping.foreign.timers import UnreadableTimer, schedule_of, time_of
from schemas.core.bpmn.model import BpmnExpression, EventDefinition, EventKind
from statemachine.workflow.expression.compiled import Expression

FEEL = {
    "= a > 3 and b": "a > 3 and b",
    "=a=1": "a == 1",
    "= not(a or b)": "not (a or b)",
    '= status = "paid"': 'status == "paid"',
    '= "a = b" != x.y': '"a = b" != x.y',
    "= count(items) > 2": "len(items) > 2",
    '= starts with(upper case(name), "A")': 'starts_with(upper(name), "A")',
    "= if a > 1 then b else c": "(b if a > 1 else c)",
    "= (if a then 1 else 2) + 3": "((1 if a else 2) + 3)",
    "= sum([1, n]) >= -2": "sum([1, n]) >= -2",
    "= a != null": "a != null",
}
JUEL = {
    "${amount > 100 && !vip}": "amount > 100 and not vip",
    "#{a eq 'x' or b ge 2}": "a == 'x' or b >= 2",
    "${order.items[0].price <= 3}": "order.items[0].price <= 3",
    "${a.and}": None,
}
VALUES = {
    "a": 4,
    "b": 2,
    "c": 1,
    "n": 5,
    "x": {"y": "z"},
    "items": [1, 2, 3],
    "name": "abc",
    "status": "paid",
}


def condition(text: str, language: str | None = None) -> str:
    return condition_of(BpmnExpression(text=text, language=language))


@pytest.mark.parametrize("text", FEEL)
def test_feel_is_read_where_it_says_what_ours_says(text: str) -> None:
    ours = condition(text)
    assert Expression.parse(ours).evaluate(VALUES) == Expression.parse(FEEL[text]).evaluate(VALUES)


@pytest.mark.parametrize("text", [each for each in JUEL if JUEL[each]])
def test_expressions_of_camunda_7_are_read_where_they_say_what_ours_say(text: str) -> None:
    assert condition(text) == JUEL[text]


@pytest.mark.parametrize(
    "text",
    [
        "= some x in items satisfies x",
        "= items[1]",
        "= items[price > 3]",
        "= a ** 2",
        "= 7 // 2",
        "= a == 1",
        '= matches(name, "a.*")',
        '= split(name, ",")',
        "= now()",
        "= if a then b",
        "= a in [1..3]",
        "${bean.call(a)}",
        "${empty a}",
        "${a ? b : c}",
        "${a.and}",
        "= __import__",
        "= a.__class__",
        "= ",
        "",
        "=" + "(" * 500,
        "= '",
    ],
)
def test_what_ours_does_not_say_is_left_open(text: str) -> None:
    with pytest.raises(UnreadableExpression):
        condition(text)


def test_the_language_decides_where_an_expression_does_not_say_it() -> None:
    assert condition("a = 1", "https://www.omg.org/spec/DMN/20191111/FEEL/") == "a == 1"
    with pytest.raises(UnreadableExpression):
        condition("a == 1", "http://www.javascript.example")


def test_a_value_that_is_no_expression_stays() -> None:
    assert value_of("plain") == "plain"
    assert value_of("= order.sum + 1") == "${order.sum + 1}"


def timer(text: str, kind: str) -> EventDefinition:
    return EventDefinition(kind=EventKind.TIMER, timer=kind, expression=BpmnExpression(text=text))


@pytest.mark.parametrize(
    ("text", "kind", "found"),
    [
        ("P3DT2H", "timeDuration", "P3DT2H"),
        ("2026-03-13T09:00:00+08:00", "timeDate", "2026-03-13T09:00:00+08:00"),
        ('= duration("PT1H")', "timeDuration", "PT1H"),
        ("= order.due", "timeDate", "${order.due}"),
        ("${due}", "timeDate", "${due}"),
        ("R1/PT5M", "timeCycle", "PT5M"),
    ],
)
def test_a_time_is_read(text: str, kind: str, found: str) -> None:
    assert time_of(timer(text, kind)) == found


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("P1M", "timeDuration"),
        ("tomorrow", "timeDate"),
        ("R/PT5M", "timeCycle"),
        ("", "timeDate"),
        ("P99999999999W", "timeDuration"),
    ],
)
def test_a_time_that_we_do_not_have_is_left_open(text: str, kind: str) -> None:
    with pytest.raises(UnreadableTimer):
        time_of(timer(text, kind))


@pytest.mark.parametrize(
    ("text", "cron"),
    [
        ("R/PT15M", "*/15 * * * *"),
        ("R/PT1H", "0 * * * *"),
        ("R/PT6H", "0 */6 * * *"),
        ("R/P1D", "0 0 * * *"),
        ("R/P1W", "0 0 * * 1"),
        ("0 0 9 * * ?", "0 9 * * *"),
        ("30 8 * * 1-5", "30 8 * * 1-5"),
    ],
)
def test_a_cycle_is_a_line_of_cron(text: str, cron: str) -> None:
    assert schedule_of(timer(text, "timeCycle")) == {"cron": cron}


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("R/PT7M", "timeCycle"),
        ("R3/PT10M", "timeCycle"),
        ("R/P2D", "timeCycle"),
        ("PT5M", "timeDuration"),
        ("5 0 9 * * ?", "timeCycle"),
    ],
)
def test_a_cycle_that_cron_cannot_say_is_left_open(text: str, kind: str) -> None:
    with pytest.raises(UnreadableTimer):
        schedule_of(timer(text, kind))
