"""Everything that is wrong with a definition is told at once, each where it stands, with the nearest name."""

from collections.abc import Sequence
from textwrap import dedent
from typing import Any

import pytest

from schemas.core.definition.reader import examined_definition, place_of
from schemas.core.definition.text import read_yaml

Found = list[tuple[str, int | None, int | None, str]]


def found_in(text: str) -> Found:
    """The faults of this YAML, each with its pointer, line, column and words."""
    written = read_yaml("workflow: tried\nversion: '1'\n" + dedent(text).lstrip())
    read = examined_definition(written.body)
    problems = [written.problem(fault.message, place_of(fault, written.body)) for fault in read.faults]
    return [(each.pointer, each.line, each.column, each.message) for each in problems]


def words(text: str) -> list[str]:
    return [message for *_, message in found_in(text)]


def pointers(found: Sequence[tuple[Any, ...]]) -> list[str]:
    return [pointer for pointer, *_ in found]


def test_a_step_that_cannot_be_read_does_not_hide_what_is_wrong_beside_it() -> None:
    found = found_in("""
        steps:
        - {id: first, agent: audit, action: check, priority: 11, next: [thrid], parameters: {sum: "${1 +}"}}
        - {id: second, type: gateway, condition: "sum(", next: [first], else: end}
        - {id: third, type: set, set: {totl: 1}}
        - {type: pass}
        variables: {total: 0}
        """)
    assert found == [
        ("/steps/0/priority", 4, 44, "steps.0.priority: Input should be less than or equal to 10"),
        ("/steps/3/id", 7, 3, "steps.3.id: is missing"),
        ("/steps/0/parameters", 4, 73, found[2][3]),
        ("/steps/1/condition", 5, 31, found[3][3]),
        ("/steps/0/next", 4, 58, "step 'first' leads to 'thrid', which is not a step; did you mean 'third'?"),
        ("/steps", 3, 1, "it is not checked what leads where: first mend 'first'"),
        ("/steps/2/set", 6, 26, found[6][3]),
    ]
    assert "which is no variable; did you mean 'total'?" in found[6][3]


def test_a_step_without_a_readable_name_is_no_unknown_step_for_others() -> None:
    found = found_in("""
        steps:
        - {id: a, type: pass, next: 1b}
        - {id: 1b, type: scope, steps: [{id: inner, type: pass}]}
        - {id: c, needs: [a, 1b], type: set, set: {x: "${steps.inner}"}}
        variables: {x: 0}
        """)
    assert pointers(found) == ["/steps/1/id", "/steps"]
    assert not [each for *_, each in found if "not a step" in each]


@pytest.mark.parametrize(
    ("text", "pointer", "said"),
    [
        ("steps: [{id: a, tpye: pass}]", "/steps/0/tpye", "no such field; did you mean 'type'?"),
        ("steps: [{id: a, type: gatway}]", "/steps/0/type", "did you mean 'gateway'?"),
        ("tirggers: [x]\nsteps: [{id: a}]", "/tirggers", "did you mean 'triggers'?"),
        (
            "steps: [{id: a, retry: {max_retrys: 1}}]",
            "/steps/0/retry/max_retrys",
            "did you mean 'max_retries'?",
        ),
        ("steps: [{id: a, for_each: {in: '${x}', lmit: 2}}]", "/steps/0/for_each/lmit", "'limit'?"),
        ("steps: [{id: a, repeat: {while: x}}]", "/steps/0/repeat/max", "is missing"),
        ("steps: [{id: check}, {id: b, needs: [chek]}]", "/steps/1/needs", "did you mean 'check'?"),
        ("on_error: hepl\nsteps: [{id: help}]", "/on_error", "did you mean 'help'?"),
        (
            "steps: [{id: w, type: wait, events: [{signal: x, next: w}, {timer: 1, next: dnoe}]}, {id: done}]",
            "/steps/0/events/1/next",
            "did you mean 'done'?",
        ),
        (
            "steps: [{id: h, type: human, decisions: {ok: dnoe}}, {id: done}]",
            "/steps/0/decisions/ok",
            "did you mean 'done'?",
        ),
    ],
)
def test_an_unknown_name_comes_with_its_place_and_the_nearest(text: str, pointer: str, said: str) -> None:
    assert [each for each in found_in(text) if each[0] == pointer and said in each[3]]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("steps: [{id: a, parameters: {x: '${variables.totl}'}}]", "variables.totl, which there is not"),
        ("steps: [{id: a, parameters: {x: '${parameters.oder}'}}]", "did you mean 'order'?"),
        ("steps: [{id: a, parameters: {x: '${run.nmae}'}}]", "run.nmae, which there is not"),
        ("steps: [{id: a, parameters: {x: '${lenn(order)}'}}]", "no function 'lenn'; did you mean 'len'?"),
        ("steps: [{id: a}]\noutput: {x: '${steps.b}'}", "output reads steps.b, which is not a step"),
        ("steps: [{id: a}]\nkey: '${parameters.oder}'", "key reads parameters.oder"),
        (
            "steps: [{id: a}]\non: [{message: m, key: '${variables.totl}', next: end}]",
            "on reads variables.totl",
        ),
    ],
)
def test_a_name_in_an_expression_that_never_is_there_is_a_fault(text: str, said: str) -> None:
    known = "parameters: {properties: {order: {}}, additionalProperties: false}\nvariables: {total: 0}\n"
    assert [each for each in words(known + text) if said in each]


def test_names_that_may_be_there_are_none() -> None:
    open_schema = "parameters: {properties: {order: {}}}\nvariables: {total: 0}\n"
    text = (
        "steps: [{id: a, parameters: {x: '${parameters.other}', y: '${whatever}', z: '${variables.total}'}}]"
    )
    assert words(open_schema + text) == []


@pytest.mark.parametrize(
    ("variable", "said"),
    [
        ("{type: number, default: many}", "its default must be of type number"),
        ("{type: {enum: [1, 2]}, default: 3}", "its default must be one of 1, 2"),
    ],
)
def test_a_default_that_the_variable_may_not_hold_is_a_fault(variable: str, said: str) -> None:
    ((pointer, _, _, message),) = found_in(f"variables: {{v: {variable}}}\nsteps: [{{id: a}}]")
    assert (pointer, said in message) == ("/variables/v/default", True)
    assert words("variables: {v: {type: number}}\nsteps: [{id: a}]") == []


PARTED = """
steps:
- {id: g, type: gateway, GATEWAY}
- {id: a, type: pass, next: j}
- {id: b, type: pass, next: j}
- {id: j, type: gateway, mode: parallel, join: JOIN, next: end}
"""


@pytest.mark.parametrize(
    ("gateway", "join", "passes"),
    [
        ("next: [{if: x, to: a}, {to: b}]", "all", False),
        ("condition: x, next: a, else: b", "all", False),
        ("mode: parallel, next: [a, b]", "all", True),
        ("mode: inclusive, next: [{if: x, to: a}, {if: y, to: b}], else: a", "all", True),
        ("next: [{if: x, to: a}, {to: b}]", "any", True),
        ("next: [{if: x, to: [a, b]}, {to: b}]", "all", True),
        ("mode: parallel, next: [a, b]", "{count: 3}", False),
        ("mode: parallel, next: [a, b]", "{count: 2}", True),
    ],
)
def test_a_join_that_never_has_all_it_waits_for_is_a_fault(gateway: str, join: str, passes: bool) -> None:
    found = found_in(PARTED.replace("GATEWAY", gateway).replace("JOIN", join))
    assert pointers(found) == ([] if passes else ["/steps/3/join"])
    assert all("can never be entered" in message for *_, message in found)


def test_a_join_of_two_events_of_one_wait_never_passes() -> None:
    text = """
        steps:
        - {id: w, type: wait, events: [{signal: x, next: a}, {signal: y, next: b}]}
        - {id: a, type: gateway, mode: parallel, next: j}
        - {id: b, type: pass, next: j}
        - {id: j, type: gateway, mode: parallel, join: all, next: end}
        """
    assert "waits for 'a' and 'b', which lie on different sides of 'w'" in words(text)[0]


@pytest.mark.parametrize(
    ("step", "field"),
    [
        ("type: wait, seconds: 1, message: m", "message"),
        ("type: wait, seconds: 1, signal: m", "signal"),
        ("type: wait, seconds: 1, event: m", "event"),
        ("type: pass, payload: {}", "payload"),
        ("type: wait, seconds: 1, key: k", "key"),
        ("agent: audit, action: check, workflow: w", "workflow"),
        ("type: pass, version: '1'", "version"),
        ("type: pass, wait: false", "wait"),
        ("type: pass, on_cancel: leave", "on_cancel"),
        ("type: pass, continue: true", "continue"),
        ("agent: audit, action: check, request: {url: u}", "request"),
        ("agent: audit, action: check, callback: true", "callback"),
        ("agent: audit, action: check, idempotent: true", "idempotent"),
        ("agent: audit, action: check, tool: report", "tool"),
        ("type: tool, tool: report, agent: audit", "agent"),
        ("type: tool, tool: report, action: check", "action"),
        ("type: http, request: {url: u}, action: check", "action"),
        ("type: pass, error: e", "error"),
        ("type: pass, escalation: e", "escalation"),
        ("type: pass, terminate: true", "terminate"),
        ("type: pass, steps: [{id: inner, type: pass}]", "steps"),
        ("type: pass, for: x", "for"),
        ("type: pass, decisions: {ok: end}", "decisions"),
        ("type: pass, events: [{signal: s, next: end}]", "events"),
        ("type: pass, until: P1D", "until"),
        ("type: pass, mode: parallel", "mode"),
        ("type: pass, retry: {max_retries: 1}", "retry"),
    ],
)
def test_a_field_that_steps_of_its_type_never_read_is_a_fault_where_it_stands(step: str, field: str) -> None:
    found = found_in(f"steps: [{{id: a, {step}}}]")
    assert [
        message
        for pointer, _, column, message in found
        if pointer == f"/steps/0/{field}" and column is not None
    ]


def test_what_a_field_is_without_being_written_may_be_written_for_any_type() -> None:
    assert (
        words("steps: [{id: a, type: pass, terminate: false, wait: true, steps: [], callback: false}]") == []
    )


def test_of_very_many_faults_a_thousand_are_told() -> None:
    """A larger answer is read by nobody, and the nearest name of each would hold the process for minutes."""
    nowhere = ", ".join(f"n{at}" for at in range(50_000))
    assert len(words(f"steps: [{{id: a, type: pass, next: [{nowhere}]}}]")) == 1_000
    fields = ", ".join(f"x{at}: 1" for at in range(50_000))
    assert len(words(f"steps: [{{id: a, type: pass, {fields}}}]")) == 1_001
