"""A definition says who answers, in which form, how many, and what becomes of a late answer; the run does so."""

from collections.abc import Iterator
from typing import Any

import pytest

from engine.outcomes import Done
from schemas.access.roles import Role
from schemas.core.definition.reader import read_definition
from statemachine.workflow.definition import MalformedWorkflow
from statemachine.workflow.states import RunState
from storage.people.answers import Respondent
from tasks.people.answering import answer
from tasks.people.answers import Decided, GivenAnswer
from tasks.people.overdue import follow_due
from tests.support.engine.general_runs import ScriptedActions, begin, definition, nodes_of, state_of
from tests.support.in_process_fleet import InProcessFleet
from tests.support.probe import Probe
from tests.support.questions import alerts_of, let_pass, questions_of

FORM = {"type": "object", "properties": {"amount": {"type": "integer", "minimum": 1}}, "required": ["amount"]}
APPROVE: dict[str, Any] = {
    "id": "approve",
    "type": "human",
    "assign": {"role": "reviewer"},
    "quorum": {"count": 2},
    "not_by": ["starter"],
    "form": FORM,
    "escalate": [{"after": 1200, "to": "admin"}, {"after": 600, "to": "manager"}],
    "deadline_seconds": 3600,
    "on": [{"error": ["timeout"], "next": "late"}],
    "decisions": {"yes": "pay", "no": "end"},
}
REFUND = definition(
    "parallel_branches",
    workflow="refund",
    steps=[
        APPROVE,
        {"id": "pay", "type": "pass", "next": "end"},
        {"id": "late", "type": "pass", "next": "end"},
    ],
)
FOR_ONE = definition(
    "parallel_branches",
    workflow="for_one",
    steps=[
        {"id": "pick", "agent": "contact", "action": "check", "next": "between"},
        {"id": "between", "agent": "contact", "action": "check", "next": "ask"},
        {
            "id": "ask",
            "type": "human",
            "assign": {"person": "${steps.pick.who}"},
            "decisions": {"yes": "end"},
        },
    ],
)


@pytest.fixture
def bench() -> ScriptedActions:
    return ScriptedActions()


@pytest.fixture
def house(database_url: str, bench: ScriptedActions) -> Iterator[InProcessFleet]:
    built = InProcessFleet.build(database_url, actions=bench.actions(), workflows=[REFUND, FOR_ONE])
    yield built
    built.close()


def person(name: str, *roles: Role) -> Respondent:
    return Respondent(name=name, roles=frozenset(role.value for role in roles), has_login=True)


def say(house: InProcessFleet, run_id: str, by: Respondent, **form: Any) -> Decided:
    (review,) = questions_of(house, run_id).values()
    return answer(house.engine, review.review_id, GivenAnswer(decision="yes", by=by, form=form))[0]


def test_a_step_is_answered_as_its_definition_says(house: InProcessFleet) -> None:
    (run_id,) = begin(house, "refund", created_by="wangfang")
    assert say(house, run_id, person("wangfang", Role.REVIEWER), amount=3) is Decided.BARRED
    assert say(house, run_id, person("zhaomin", Role.MANAGER), amount=3) is Decided.NOT_THEIRS
    assert say(house, run_id, person("lilei", Role.REVIEWER), amount=3) is Decided.COUNTED
    assert say(house, run_id, person("hanmei", Role.REVIEWER), amount=3) is Decided.APPLIED
    house.run()
    assert nodes_of(house, run_id) == {"approve": ["done"], "pay": ["done"]}
    assert state_of(house, run_id) is RunState.COMPLETED


def test_roles_are_added_by_time_however_they_are_written(house: InProcessFleet) -> None:
    (run_id,) = begin(house, "refund")
    let_pass(house, 700)
    follow_due(house.engine)
    assert alerts_of(house, run_id) == [("review_escalated", "manager")]
    assert say(house, run_id, person("zhaomin", Role.MANAGER), amount=3) is Decided.COUNTED


def test_a_deadline_that_a_step_catches_goes_where_the_step_says(house: InProcessFleet) -> None:
    (run_id,) = begin(house, "refund")
    let_pass(house, 3700)
    house.run()
    follow_due(house.engine)
    house.run()
    assert nodes_of(house, run_id) == {"approve": ["failed"], "late": ["done"]}
    assert state_of(house, run_id) is RunState.COMPLETED


def test_a_person_who_is_calculated_is_the_one_who_answers(
    house: InProcessFleet, bench: ScriptedActions
) -> None:
    bench.answers["pick"] = lambda _: Done(output={"who": "lilei"})
    (run_id,) = begin(house, "for_one")
    house.run()
    (review,) = questions_of(house, run_id).values()
    assert review.person == "lilei"
    assert say(house, run_id, person("wangfang", Role.REVIEWER)) is Decided.NOT_THEIRS
    assert say(house, run_id, person("lilei")) is Decided.APPLIED


@pytest.mark.parametrize("who", [None, "", 7, ["lilei"]], ids=repr)
def test_a_step_for_nobody_fails_and_is_not_anybodys(
    house: InProcessFleet, bench: ScriptedActions, who: object
) -> None:
    bench.answers["pick"] = lambda _: Done(output={"who": who})
    (run_id,) = begin(house, "for_one")
    house.run()
    assert questions_of(house, run_id) == {}
    assert state_of(house, run_id) is RunState.FAILED
    error = Probe(house.database).value("SELECT error FROM runs WHERE run_id = %s", run_id)
    assert error["code"] == "invalid_input", error


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"form": {"type": "nonsense"}}, "must be 'object'"),
        ({"form": {"properties": {"a": {"type": "nonsense"}}}}, "approve"),
        ({"form": {"$ref": "https://example.com/schema"}}, "leads nowhere"),
        ({"form": {"properties": {"a": {"pattern": "^(a+)+$", "$ref": "#/nowhere"}}}}, "leads nowhere"),
        ({"assign": {"person": "${steps.}"}}, "approve"),
    ],
    ids=str,
)
def test_what_nobody_could_answer_is_refused_when_it_is_read(changes: dict[str, Any], fault: str) -> None:
    written = {**REFUND, "steps": [{**APPROVE, **changes}, *REFUND["steps"][1:]]}  # type: ignore[index]
    with pytest.raises(MalformedWorkflow, match=fault):
        read_definition(written)
