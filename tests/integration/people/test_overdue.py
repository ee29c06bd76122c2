"""When nobody answers: roles are added one after another, each once; a deadline fails the step or alerts people."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from schemas.access.roles import Role
from statemachine.workflow.options.human import NO_RULES, Escalation, HumanRules
from statemachine.workflow.states import RunState
from storage.people.answers import Respondent
from storage.people.interrupts import InterruptFilter, Interrupts
from storage.people.reviews import Review
from tasks.people.answering import answer
from tasks.people.answers import Decided, GivenAnswer
from tasks.people.overdue import follow_due
from tests.support.engine.general_runs import ScriptedActions, begin, nodes_of, state_of
from tests.support.factories import submission
from tests.support.in_process_fleet import InProcessFleet, settings_for
from tests.support.probe import Probe
from tests.support.questions import alerts_of, asked_with, history_of, let_pass, questions_of
from workers.app import make_app
from workers.process import Process
from workers.tick import watch

RULES = HumanRules(
    role="reviewer",
    escalations=(Escalation(after_seconds=600, role="manager"), Escalation(after_seconds=1200, role="admin")),
)
MANAGER = Respondent(name="zhaomin", roles=frozenset({Role.MANAGER.value}), has_login=True)
REVIEWER = Respondent(name="wangfang", roles=frozenset({Role.REVIEWER.value}), has_login=True)


def asked(house: InProcessFleet, rules: HumanRules = RULES, workflow: str = "one_question") -> Review:
    (run_id,) = begin(house, workflow)
    return asked_with(house, run_id, rules)


def say(house: InProcessFleet, review: Review, by: Respondent) -> Decided:
    return answer(house.engine, review.review_id, GivenAnswer(decision="yes", by=by))[0]


def as_it_stands(house: InProcessFleet, review: Review) -> Review:
    return questions_of(house, review.run_id, None)[review.node]


def test_a_role_is_added_once_its_time_has_passed_and_is_alerted(house: InProcessFleet) -> None:
    review = asked(house)
    let_pass(house, 590)
    assert follow_due(house.engine) == 0
    assert say(house, review, MANAGER) is Decided.NOT_THEIRS
    let_pass(house, 20)
    assert follow_due(house.engine) == 1
    assert as_it_stands(house, review).roles == ("reviewer", "manager")
    assert alerts_of(house, review.run_id) == [("review_escalated", "manager")]
    assert history_of(house, review.review_id) == [("review_escalated", "orchestrator")]
    assert say(house, review, MANAGER) is Decided.APPLIED


def test_who_was_asked_first_may_answer_after_an_escalation_too(house: InProcessFleet) -> None:
    review = asked(house)
    let_pass(house, 700)
    follow_due(house.engine)
    assert say(house, review, REVIEWER) is Decided.APPLIED


def test_each_escalation_comes_once_however_often_somebody_looks(house: InProcessFleet) -> None:
    review = asked(house)
    for _ in range(5):
        let_pass(house, 300)
        follow_due(house.engine)
        follow_due(house.engine)
    assert alerts_of(house, review.run_id) == [("review_escalated", "manager"), ("review_escalated", "admin")]
    assert as_it_stands(house, review).due_at == review.deadline_at


def test_escalations_that_came_while_nobody_looked_all_come_at_once(house: InProcessFleet) -> None:
    review = asked(house)
    let_pass(house, 2000)
    follow_due(house.engine)
    assert as_it_stands(house, review).roles == ("reviewer", "manager", "admin")
    assert alerts_of(house, review.run_id) == [("review_escalated", "manager"), ("review_escalated", "admin")]


def test_two_ticks_at_the_same_time_escalate_once(house: InProcessFleet) -> None:
    reviews = [asked(house) for _ in range(10)]
    let_pass(house, 700)
    together = Barrier(2, timeout=60)

    def meet(_: int) -> int:
        together.wait()
        return follow_due(house.engine)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(meet, range(2)))
    for review in reviews:
        assert alerts_of(house, review.run_id) == [("review_escalated", "manager")]
        assert len(history_of(house, review.review_id)) == 1


def test_an_answered_question_is_not_escalated(house: InProcessFleet) -> None:
    review = asked(house)
    say(house, review, REVIEWER)
    let_pass(house, 5000)
    assert follow_due(house.engine) == 0
    assert alerts_of(house, review.run_id) == []


def test_a_paused_run_escalates_once_it_goes_on(house: InProcessFleet) -> None:
    review = asked(house)
    with house.engine.transaction() as transaction:
        transaction.pause([review.run_id])
    let_pass(house, 700)
    assert follow_due(house.engine) == 0
    with house.engine.transaction() as transaction:
        transaction.resume([review.run_id])
    assert follow_due(house.engine) == 1
    assert alerts_of(house, review.run_id) == [("review_escalated", "manager")]


def test_a_deadline_without_on_error_alerts_once_and_the_question_stays_open(house: InProcessFleet) -> None:
    review = asked(house, HumanRules(role="reviewer"))
    let_pass(house, 3700)
    house.run()
    for _ in range(2):
        follow_due(house.engine)
    assert alerts_of(house, review.run_id) == [("review_overdue", "reviewer")]
    assert as_it_stands(house, review).due_at is None
    assert say(house, review, REVIEWER) is Decided.APPLIED


def test_an_escalation_behind_the_deadline_comes_and_the_deadline_alerts_no_second_time(
    house: InProcessFleet,
) -> None:
    late = HumanRules(role="reviewer", escalations=(Escalation(after_seconds=7200, role="manager"),))
    review = asked(house, late)
    for _ in range(3):
        let_pass(house, 3700)
        follow_due(house.engine)
    assert alerts_of(house, review.run_id) == [
        ("review_overdue", "reviewer"),
        ("review_escalated", "manager"),
    ]


@pytest.mark.parametrize("engine_first", [True, False], ids=["engine first", "people first"])
def test_a_deadline_with_on_error_fails_the_step_with_timeout(
    house: InProcessFleet, bench: ScriptedActions, *, engine_first: bool
) -> None:
    review = asked(house, RULES, "caught")
    let_pass(house, 3700)
    if engine_first:
        house.run()
    follow_due(house.engine)
    house.run()
    assert nodes_of(house, review.run_id) == {"ask": ["failed"], "late": ["done"]}
    error = Probe(house.database).value("SELECT error FROM steps WHERE step_id = %s", review.step_id)
    assert error["code"] == "timeout"
    assert bench.worked == ["late"]
    assert state_of(house, review.run_id) is RunState.COMPLETED
    assert as_it_stands(house, review).state == "cancelled"
    assert say(house, review, REVIEWER) is Decided.OTHERWISE


def test_an_answer_and_a_deadline_at_the_same_time_end_the_step_once(
    house: InProcessFleet, bench: ScriptedActions
) -> None:
    for _ in range(10):
        review = asked(house, NO_RULES, "caught")
        let_pass(house, 3700)
        together = Barrier(2, timeout=60)

        def look(together: Barrier = together) -> None:
            together.wait()
            follow_due(house.engine)

        def answers(review: Review = review, together: Barrier = together) -> Decided:
            together.wait()
            return say(house, review, REVIEWER)

        with ThreadPoolExecutor(2) as pool:
            looked, said = pool.submit(look), pool.submit(answers)
            looked.result()
        house.run()
        applied = said.result() is Decided.APPLIED
        assert nodes_of(house, review.run_id)["ask"] == ["done" if applied else "failed"]
        assert as_it_stands(house, review).state == ("decided" if applied else "cancelled")
        assert state_of(house, review.run_id) is RunState.COMPLETED


def test_an_order_asks_with_escalations_and_its_lines_stand_in_its_own_log(house: InProcessFleet) -> None:
    (receipt,) = house.accept(submission(metadata={"phone": None}))
    with house.database.transaction() as work:
        (found,) = Interrupts(work).list(InterruptFilter())
    review = asked_with(house, found.review.run_id, RULES, found.review.node)
    let_pass(house, 700)
    assert follow_due(house.engine) == 1
    assert alerts_of(house, review.run_id) == [("review_escalated", "manager")]
    lines = Probe(house.database).values(
        "SELECT event_type FROM audit_logs WHERE task_id = %s", receipt.task_id
    )
    assert lines.count("review_escalated") == 1


def test_one_question_that_cannot_be_followed_keeps_nobody_from_the_others(house: InProcessFleet) -> None:
    broken, sound = asked(house), asked(house)
    Probe(house.database).write(
        """UPDATE reviews SET escalations = '[{"after_seconds": "soon", "role": "manager"}]' WHERE review_id = %s""",
        broken.review_id,
    )
    let_pass(house, 700)
    assert follow_due(house.engine) == 2
    assert alerts_of(house, sound.run_id) == [("review_escalated", "manager")]
    assert alerts_of(house, broken.run_id) == [("review_stuck", "operations")]
    assert follow_due(house.engine) == 0


def test_the_process_of_the_tick_follows_what_is_due(
    house: InProcessFleet, database_url: str, broker_url: str
) -> None:
    review = asked(house)
    let_pass(house, 700)
    settings = settings_for(database_url, broker_url)
    process = Process(settings, make_app(settings), name="tick")
    watch(process, 0.0)
    process.engine.close()
    process.database.close()
    assert alerts_of(house, review.run_id) == [("review_escalated", "manager")]
