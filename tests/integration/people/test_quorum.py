"""Whoever answers what, and in whatever order: a step ends once, by as many equal answers as it asks for."""

from collections.abc import Sequence

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.access.roles import Role
from statemachine.workflow.options.human import STARTER, HumanRules
from statemachine.workflow.states import RunState
from storage.people.answers import Respondent
from tasks.people.answering import answer
from tasks.people.answers import Decided, GivenAnswer
from tests.support.engine.general_runs import begin, state_of
from tests.support.in_process_fleet import InProcessFleet
from tests.support.probe import Probe
from tests.support.questions import asked_with

_REVIEWER = frozenset({Role.REVIEWER.value})
STARTS = Respondent(name="starts", roles=_REVIEWER, has_login=True)
PERMITTED = [Respondent(name=name, roles=_REVIEWER, has_login=True) for name in "abcd"]
OTHERS = [
    STARTS,
    Respondent(name="e", roles=frozenset({Role.OPERATOR.value}), has_login=True),
    Respondent(name="a"),
    Respondent(name="shared", roles=_REVIEWER),
]
ANSWERS = st.lists(
    st.tuples(st.sampled_from(PERMITTED * 2 + OTHERS), st.sampled_from(["yes", "no"])), max_size=14
)


def expected(given: Sequence[tuple[Respondent, str]], quorum: int) -> tuple[set[str], str] | None:
    """Who ends the step, and by which decision: a model that knows nothing of tables."""
    latest: dict[str, str] = {}
    for by, decision in given:
        if by in PERMITTED:
            latest[by.name] = decision
            agree = {name for name, said in latest.items() if said == decision}
            if len(agree) == quorum:
                return agree, decision
    return None


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(answers=ANSWERS, quorum=st.integers(min_value=1, max_value=4))
def test_a_step_ends_once_by_enough_equal_answers_of_people_who_may(
    house: InProcessFleet, answers: list[tuple[Respondent, str]], quorum: int
) -> None:
    (run_id,) = begin(house, "one_question", created_by=STARTS.name)
    review = asked_with(house, run_id, HumanRules(role="reviewer", quorum=quorum, not_by=(STARTER,)))
    became = [
        answer(house.engine, review.review_id, GivenAnswer(decision=decision, by=by))[0]
        for by, decision in answers
    ]
    end = expected(answers, quorum)
    assert became.count(Decided.APPLIED) == (end is not None)
    for (by, _), result in zip(answers, became, strict=True):
        refused = Decided.BARRED if by is STARTS else Decided.NOT_THEIRS
        assert (result is refused) is (by not in PERMITTED)
    output = Probe(house.database).value("SELECT output FROM steps WHERE step_id = %s", review.step_id)
    if end is None:
        assert output is None
        assert state_of(house, run_id) is RunState.RUNNING
        return
    people, decision = end
    assert output["decision"] == decision
    assert {each["by"] for each in output["answers"] if each["decision"] == decision} == people
    assert state_of(house, run_id) is RunState.COMPLETED


def test_answers_that_are_too_much_together_fail_their_step_and_are_no_poison(house: InProcessFleet) -> None:
    (run_id,) = begin(house, "one_question", created_by=STARTS.name)
    review = asked_with(house, run_id, HumanRules(role="reviewer", quorum=4, form={"type": "object"}))
    form = {"text": "字" * 20_000}
    for by in PERMITTED:
        answer(house.engine, review.review_id, GivenAnswer(decision="yes", by=by, form=form))
    error = Probe(house.database).value("SELECT error FROM steps WHERE step_id = %s", review.step_id)
    assert error["code"] == "invalid_output"
    assert "artifact_ref" in error["message"]
    assert state_of(house, run_id) is RunState.FAILED
