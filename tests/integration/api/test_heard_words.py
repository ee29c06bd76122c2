"""What outside agents heard a customer say is classified for whoever heard it, and for nobody who heard other words."""

from typing import Any

import pytest

from tests.support.api.client import ApiClient
from tests.support.api.outside_agents import (
    SILENT,
    begun,
    classified,
    contacted,
    contacts_of,
    said,
    state,
)
from tests.support.factories import PARTS_MISSING, READY
from tests.support.probe import Probe

HEARD = {PARTS_MISSING: "配件未到", READY: "可上门"}


def classified_at_once(caller: ApiClient, task_id: str, wordings: list[str]) -> list[Any]:
    """The answers to callers who heard these words, all at the same moment."""
    bodies = [{"task_id": task_id, "user_input": words} for words in wordings]
    calls = [caller.prepare("POST", "/agents/triage/classify", "triage_agent", json=body) for body in bodies]
    return caller.at_once(calls)


@pytest.mark.parametrize("customer", [said("喂"), SILENT])
def test_of_callers_who_heard_different_words_one_is_answered_and_its_words_are_on_record(
    manual: ApiClient, customer: dict[str, Any]
) -> None:
    for number in range(4):
        task_id = begun(manual, f"HT{number}", customer)
        contacted(manual, task_id)
        answers = dict(zip(HEARD, classified_at_once(manual, task_id, list(HEARD)), strict=True))
        assert sorted(answer.status_code for answer in answers.values()) == [200, 409]
        (kept,) = (words for words, answer in answers.items() if answer.status_code == 200)
        assert answers[kept].json()["classification"]["level2_intent"] == HEARD[kept]
        on_record = [c.user_feedback or c.transcript for c in contacts_of(manual, task_id)]
        assert on_record[-1] == kept
        (other,) = set(HEARD) - {kept}
        assert classified(manual, task_id, user_input=other).status_code == 409
        assert classified(manual, task_id, user_input=kept).json() == answers[kept].json()


def test_callers_who_heard_the_same_words_share_one_classification(manual: ApiClient) -> None:
    task_id = begun(manual, "HT1", said("喂"))
    contacted(manual, task_id)
    answers = classified_at_once(manual, task_id, [PARTS_MISSING] * 8)
    assert [answer.status_code for answer in answers] == [200] * 8
    assert [step["node"] for step in manual.house.steps(task_id)].count("step5_triage") == 1


@pytest.mark.parametrize("customer", [said("喂"), SILENT])
def test_words_of_a_call_that_is_refused_are_not_kept(manual: ApiClient, customer: dict[str, Any]) -> None:
    task_id = begun(manual, "HT1", customer)
    contacted(manual, task_id)
    before = state(manual, task_id)
    with manual.house.engine.transaction() as transaction:
        transaction.pause([manual.house.order(task_id).run_id])
    assert classified(manual, task_id, user_input=PARTS_MISSING).status_code == 409
    assert [contact.user_feedback for contact in contacts_of(manual, task_id)] == [None]
    assert state(manual, task_id) == before


def test_a_step_and_its_calls_hold_no_words(manual: ApiClient) -> None:
    task_id = begun(manual, "HT1", said("喂"))
    contacted(manual, task_id)
    classified(manual, task_id, user_input=PARTS_MISSING)
    rows = [
        row
        for table in ("steps", "dispatches")
        for row in Probe(manual.house.database).values(f"SELECT {table}::text FROM {table}")
    ]
    assert sum('""words""' in row for row in rows) == 2
    assert not any(PARTS_MISSING in row for row in rows)
