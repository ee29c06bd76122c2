"""Why a task stands where it stands: every state a step can be in, told truly."""

import re
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.core.language import Language
from schemas.orders.explain.words import words_in
from statemachine.orders.states import Event, State
from statemachine.workflow.states import RunState
from tasks.orders.explain.explanation import Wait
from tasks.orders.explain.moment_format import MomentFormat, span
from tasks.orders.explain.situation import LastMove, Situation
from tasks.orders.explain.status import explain, why
from tests.support.explain.situations import BY_BUSINESS, order, run, shortly, situation, soon, step
from tests.support.explain.waits import CASES

FINISHED = words_in(Language.ENGLISH)["finished"]


def told(seen: Situation) -> str:
    return why(seen, Language.ENGLISH)


@pytest.mark.parametrize("case", CASES)
def test_every_wait_is_told_with_what_it_is_for_and_what_comes_next(case: str) -> None:
    seen, wait, words = CASES[case]
    text = told(seen)
    assert explain(seen).wait is wait
    assert [word for word in words if word not in text] == [], text


@pytest.mark.parametrize("case", CASES)
def test_an_explanation_has_one_to_three_sentences_that_name_the_task(case: str) -> None:
    explanation = explain(CASES[case][0])
    assert explanation.subject == "HT1"
    assert told(CASES[case][0]).startswith("HT1 (")
    assert explanation.next


@pytest.mark.parametrize("reason", FINISHED)
def test_a_closed_order_says_why_and_that_nothing_follows(reason: str) -> None:
    closed = order(State.CLOSED, finish_reason=reason, finished_at=soon(days=-1))
    text = told(situation(of=closed, in_run=run(RunState.COMPLETED)))
    assert f"{FINISHED[reason]} [{reason}]" in text
    assert "since Sun 2026-03-15 10:00 (1 d ago)" in text
    assert text.endswith("Nothing further happens to it.")


def test_an_order_closed_by_a_person_names_the_person_and_the_reason() -> None:
    closed = order(State.CLOSED, finish_reason="closed_by_person", finished_at=soon())
    last = LastMove(event=Event.REVIEW_CLOSE, agent_id="王芳", at=soon(), reason="客户已搬走")
    assert "by 王芳: “客户已搬走”" in told(situation(of=closed, last_move=last))


def test_of_parallel_branches_the_one_at_work_is_told_and_the_others_are_named() -> None:
    waiting = step("step9_followup", "scheduled", step_id=1, due_at=soon(days=1), due_clock=BY_BUSINESS)
    working = step("step5_triage", "leased", step_id=2, holder="w", expires_at=shortly(seconds=9))
    text = told(situation(waiting, working))
    assert "意图识别, at work in w" in text
    assert "Beside it is open: 等待跟进" in text


def test_a_run_without_an_order_that_has_ended_is_no_fault() -> None:
    ended = situation(in_run=run(RunState.COMPLETED, finished_at=shortly(seconds=-5)))
    explanation = explain(replace(ended, order=None))
    assert explanation.wait is Wait.NOTHING


def test_a_run_with_a_time_limit_tells_it() -> None:
    limited = run(deadline_at=shortly(minutes=5))
    seen = situation(step("step5_triage", "ready", ahead=0), in_run=limited)
    assert "The whole run may go on for 5 min more" in told(seen)


def test_a_phone_number_in_an_error_is_masked() -> None:
    error = {"code": "parked", "message": "calling 13912345678"}
    assert "139****5678" in told(situation(step("step3_contact", "parked", error=error)))


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        (0.04, "0.0 s"),
        (9.94, "9.9 s"),
        (60, "1 min"),
        (3_725, "1 h 2 min"),
        (86_400 + 59, "1 d"),
        (-3, "0.0 s"),
    ],
)
def test_a_span_has_at_most_two_units(seconds: float, told: str) -> None:
    assert span(timedelta(seconds=seconds)) == told


@given(st.floats(min_value=0, max_value=1e9))
def test_a_span_is_never_empty(seconds: float) -> None:
    assert 1 <= len(span(timedelta(seconds=seconds)).split()) // 2 <= 2


@pytest.mark.parametrize("case", CASES)
def test_every_wait_is_told_in_chinese_too_with_the_same_facts(case: str) -> None:
    seen = CASES[case][0]
    explanation = explain(seen)
    words = explanation.worded(MomentFormat(seen.moments, seen.zone, Language.CHINESE))
    assert words.sentences.startswith("HT1（")
    assert words.sentences.endswith(("。", "`"))
    assert not words.waiting_for.isascii()
    assert set(re.findall(r"`.*?`", words.sentences)) == set(re.findall(r"`.*?`", told(seen)))
