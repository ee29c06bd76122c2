"""Who may answer a question of a run, with what, and when enough people have."""

import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest

from runtime.cipher import is_printed
from schemas.access.roles import Role
from schemas.core.private_words import opened
from statemachine.workflow.options.human import NO_RULES, STARTER, HumanRules
from statemachine.workflow.states import RunState
from storage.people.answers import Respondent, ReviewAnswers
from storage.people.reviews import Review
from tasks.people.answering import answer
from tasks.people.answers import Decided, GivenAnswer, InvalidAnswer
from tests.support.engine.general_runs import begin, nodes_of, state_of
from tests.support.in_process_fleet import CIPHER_KEY, InProcessFleet
from tests.support.probe import Probe
from tests.support.questions import asked_with, history_of, questions_of

REVIEWER = frozenset({Role.REVIEWER.value})
FORM = {
    "type": "object",
    "properties": {
        "amount": {"type": "integer", "minimum": 1},
        "account": {"type": "string", "writeOnly": True},
    },
    "required": ["amount"],
    "additionalProperties": False,
}


def person(name: str, *roles: Role) -> Respondent:
    return Respondent(name=name, roles=frozenset(role.value for role in roles), has_login=True)


WANG, LI, ZHAO = (person(name, Role.REVIEWER) for name in ("wangfang", "lilei", "zhaomin"))
SHARED = Respondent(name="operator")


def asked(house: InProcessFleet, rules: HumanRules = NO_RULES, **more: Any) -> Review:
    """The question of a new run."""
    (run_id,) = begin(house, "one_question", **more)
    return asked_with(house, run_id, rules)


def say(house: InProcessFleet, review: Review, by: Respondent, decision: str = "yes", **more: Any) -> Decided:
    return answer(house.engine, review.review_id, GivenAnswer(decision=decision, by=by, **more))[0]


def output_of(house: InProcessFleet, review: Review) -> dict[str, Any]:
    found: dict[str, Any] = Probe(house.database).value(
        "SELECT output FROM steps WHERE step_id = %s", review.step_id
    )
    return found


def as_it_stands(house: InProcessFleet, review: Review) -> Review:
    return questions_of(house, review.run_id, None)[review.node]


def test_the_step_ends_with_what_was_answered_and_by_whom(house: InProcessFleet) -> None:
    review = asked(house)
    assert say(house, review, WANG, note="看过了") is Decided.APPLIED
    output = output_of(house, review)
    (one,) = output["answers"]
    assert (output["decision"], output["by"], output["note"], output["form"]) == (
        "yes",
        "wangfang",
        "看过了",
        {},
    )
    assert (one["by"], one["decision"], one["note"]) == ("wangfang", "yes", "看过了")
    assert state_of(house, review.run_id) is RunState.COMPLETED
    assert history_of(house, review.review_id) == [("review_answered", "wangfang")]


def test_a_key_that_people_share_answers_what_is_anybodys(house: InProcessFleet) -> None:
    assert say(house, asked(house), SHARED) is Decided.APPLIED


@pytest.mark.parametrize(
    "rules",
    [
        HumanRules(role="reviewer"),
        HumanRules(person="operator"),
        HumanRules(quorum=2),
        HumanRules(not_by=(STARTER,)),
    ],
    ids=["role", "person", "quorum", "not_by"],
)
def test_a_key_that_people_share_answers_nothing_that_is_somebodys(
    house: InProcessFleet, rules: HumanRules
) -> None:
    review = asked(house, rules)
    assert say(house, review, SHARED) is Decided.NOT_THEIRS
    assert as_it_stands(house, review).state == "open"


@pytest.mark.parametrize(
    ("by", "became"),
    [
        (person("a", Role.REVIEWER), Decided.APPLIED),
        (person("b", Role.OPERATOR, Role.REVIEWER), Decided.APPLIED),
        (person("c", Role.ADMIN), Decided.APPLIED),
        (person("d", Role.MANAGER), Decided.NOT_THEIRS),
        (person("e"), Decided.NOT_THEIRS),
    ],
    ids=["reviewer", "operator and reviewer", "admin", "manager", "nobody"],
)
def test_a_question_for_a_role_is_answered_by_who_has_it_or_an_admin(
    house: InProcessFleet, by: Respondent, became: Decided
) -> None:
    assert say(house, asked(house, HumanRules(role="reviewer")), by) is became


def test_a_question_for_one_person_is_answered_by_nobody_else(house: InProcessFleet) -> None:
    review = asked(house, HumanRules(person="wangfang"))
    assert say(house, review, LI) is Decided.NOT_THEIRS
    assert say(house, review, person("root", Role.ADMIN)) is Decided.NOT_THEIRS
    assert say(house, review, WANG) is Decided.APPLIED


def test_a_question_for_a_person_whom_nobody_knows_is_answered_by_none(house: InProcessFleet) -> None:
    review = asked(house, HumanRules(person=""))
    for by in (WANG, SHARED, Respondent(name=""), person("root", Role.ADMIN)):
        assert say(house, review, by) is Decided.NOT_THEIRS


def test_whoever_began_the_run_does_not_answer_where_the_starter_may_not(house: InProcessFleet) -> None:
    review = asked(house, HumanRules(not_by=(STARTER,)), created_by="wangfang")
    assert say(house, review, WANG) is Decided.BARRED
    assert say(house, review, person("wangfang", Role.ADMIN)) is Decided.BARRED
    assert say(house, review, LI) is Decided.APPLIED


@pytest.mark.parametrize("quorum", [1, 2])
def test_whoever_answered_the_one_step_does_not_answer_the_other(house: InProcessFleet, quorum: int) -> None:
    (run_id,) = begin(house, "two_questions")
    house.run()
    first = asked_with(house, run_id, HumanRules(quorum=quorum), "first")
    second = asked_with(house, run_id, HumanRules(not_by=("first",)), "second")
    (other_run,) = begin(house, "two_questions")
    house.run()
    assert say(house, first, WANG) in (Decided.APPLIED, Decided.COUNTED)
    assert say(house, second, WANG) is Decided.BARRED
    elsewhere = asked_with(house, other_run, HumanRules(not_by=("first",)), "second")
    assert say(house, elsewhere, WANG) is Decided.APPLIED
    assert say(house, second, LI) is Decided.APPLIED


def test_one_person_answers_one_of_two_steps_at_most_though_they_answer_both_at_once(
    house: InProcessFleet,
) -> None:
    for _ in range(10):
        (run_id,) = begin(house, "two_questions")
        house.run()
        both = [
            asked_with(house, run_id, HumanRules(not_by=(other,)), node)
            for node, other in (("first", "second"), ("second", "first"))
        ]
        together = Barrier(2, timeout=60)

        def meet(review: Review, together: Barrier = together) -> Decided:
            together.wait()
            return say(house, review, WANG)

        with ThreadPoolExecutor(2) as pool:
            assert sorted(pool.map(meet, both)) == [Decided.APPLIED, Decided.BARRED]


def test_two_people_of_whom_both_are_needed_end_the_step_together(house: InProcessFleet) -> None:
    review = asked(house, HumanRules(role="reviewer", quorum=2))
    assert say(house, review, WANG, note="可以") is Decided.COUNTED
    assert as_it_stands(house, review).state == "open"
    assert nodes_of(house, review.run_id)["ask"] == ["parked"]
    assert say(house, review, LI) is Decided.APPLIED
    assert [one["by"] for one in output_of(house, review)["answers"]] == ["wangfang", "lilei"]
    assert history_of(house, review.review_id) == [
        ("review_answered", "wangfang"),
        ("review_answered", "lilei"),
    ]


def test_one_person_is_not_two_however_often_they_answer(house: InProcessFleet) -> None:
    review = asked(house, HumanRules(quorum=2))
    said = [say(house, review, WANG, decision) for decision in ("yes", "yes", "no", "no", "yes")]
    assert said == [Decided.COUNTED, Decided.REPEATED, Decided.COUNTED, Decided.REPEATED, Decided.COUNTED]
    assert as_it_stands(house, review).state == "open"


def test_people_who_disagree_come_to_agree_by_answering_again(house: InProcessFleet) -> None:
    review = asked(house, HumanRules(quorum=2))
    assert [say(house, review, WANG, "yes"), say(house, review, LI, "no")] == [Decided.COUNTED] * 2
    with house.database.transaction() as work:
        kept = ReviewAnswers(work).of(review.review_id)
    assert [(each.person, each.decision) for each in kept] == [("wangfang", "yes"), ("lilei", "no")]
    assert say(house, review, WANG, "no") is Decided.APPLIED
    assert output_of(house, review)["decision"] == "no"


def test_an_answer_that_is_counted_gives_the_question_back_for_the_next_person(house: InProcessFleet) -> None:
    review = asked(house, HumanRules(quorum=2))
    Probe(house.database).write(
        "UPDATE reviews SET claimed_by = 'wangfang', claimed_at = clock_timestamp(), "
        "claimed_until = clock_timestamp() + interval '30 minutes' WHERE review_id = %s",
        review.review_id,
    )
    assert say(house, review, LI) is Decided.CLAIMED
    assert say(house, review, WANG) is Decided.COUNTED
    assert say(house, review, LI) is Decided.APPLIED


@pytest.mark.parametrize("quorum", [1, 2])
def test_people_who_answer_at_once_end_the_step_once(house: InProcessFleet, quorum: int) -> None:
    for _ in range(10):
        review = asked(house, HumanRules(quorum=quorum))
        together = Barrier(3, timeout=60)

        def meet(by: Respondent, review: Review = review, together: Barrier = together) -> Decided:
            together.wait()
            return say(house, review, by, "no" if by is ZHAO and quorum == 1 else "yes")

        with ThreadPoolExecutor(3) as pool:
            became = list(pool.map(meet, (WANG, LI, ZHAO)))
        assert became.count(Decided.APPLIED) == 1
        assert became.count(Decided.COUNTED) == quorum - 1
        assert len(output_of(house, review)["answers"]) == quorum
        assert state_of(house, review.run_id) is RunState.COMPLETED


def test_an_answer_whose_process_dies_before_it_commits_was_never_given(
    house: InProcessFleet, database_url: str
) -> None:
    review = asked(house)
    died = subprocess.run(
        [sys.executable, "-m", "tests.support.dying_answer", database_url, CIPHER_KEY, review.review_id],
        check=False,
        capture_output=True,
    )
    assert died.returncode == -signal.SIGKILL, died.stderr.decode()
    assert as_it_stands(house, review).state == "open"
    assert nodes_of(house, review.run_id)["ask"] == ["parked"]
    assert history_of(house, review.review_id) == []
    assert say(house, review, LI) is Decided.APPLIED


def test_what_a_form_lacks_is_said_field_by_field(house: InProcessFleet) -> None:
    review = asked(house, HumanRules(form=FORM))
    with pytest.raises(InvalidAnswer) as refused:
        say(house, review, WANG, form={"amount": 0, "colour": "red"})
    assert [(each.field, each.message) for each in refused.value.problems] == [
        ("form.colour", "is not a field of this form"),
        ("form.amount", "must be at least 1"),
    ]
    with pytest.raises(InvalidAnswer, match="is required"):
        say(house, review, WANG)
    assert as_it_stands(house, review).state == "open"


def test_a_question_without_a_form_takes_none(house: InProcessFleet) -> None:
    with pytest.raises(InvalidAnswer, match=r"form.amount"):
        say(house, asked(house), WANG, form={"amount": 1})


def test_a_decision_that_is_not_offered_is_refused_and_not_counted(house: InProcessFleet) -> None:
    review = asked(house, HumanRules(quorum=2))
    with pytest.raises(InvalidAnswer, match="one of yes, no"):
        say(house, review, WANG, "perhaps")
    with house.database.transaction() as work:
        assert ReviewAnswers(work).of(review.review_id) == []


@pytest.mark.parametrize("quorum", [1, 2])
def test_private_texts_of_a_form_are_stored_sealed_and_the_step_can_open_them(
    house: InProcessFleet, quorum: int
) -> None:
    review = asked(house, HumanRules(form=FORM, quorum=quorum))
    given = {"amount": 3, "account": "6222020200112233"}
    for by in (WANG, LI)[:quorum]:
        say(house, review, by, form=given)
    output = output_of(house, review)
    assert output["form"]["amount"] == 3
    assert is_printed(output["form"]["account"])
    assert opened(output["form"], review.run_id, house.database.cipher) == given
    kept = Probe(house.database).values(
        "SELECT row_to_json(r)::text FROM reviews r UNION ALL SELECT row_to_json(a)::text FROM review_answers a "
        "UNION ALL SELECT row_to_json(s)::text FROM system_audit s UNION ALL SELECT row_to_json(s)::text FROM steps s"
    )
    assert not [row for row in kept if given["account"] in row]
    assert say(house, review, WANG, form=given) is Decided.REPEATED
    assert say(house, review, WANG, form=given | {"account": "x"}) is Decided.OTHERWISE


def test_a_text_that_reads_as_a_sealed_one_is_refused(house: InProcessFleet) -> None:
    review = asked(house, HumanRules(form={"properties": {"words": {}}}))
    with pytest.raises(InvalidAnswer, match="encrypted"):
        say(house, review, WANG, form={"words": f"enc1.01234567.{'A' * 60}"})


def test_an_answer_to_a_run_that_was_cancelled_changes_nothing(house: InProcessFleet) -> None:
    review = asked(house)
    with house.engine.transaction() as transaction:
        transaction.end([review.run_id], RunState.CANCELLED, agent_id="wangfang", reason="test")
    assert say(house, review, WANG) is Decided.OTHERWISE
    assert as_it_stands(house, review).state == "cancelled"
    assert history_of(house, review.review_id) == []


def test_a_late_answer_is_repeated_where_it_is_the_same_and_refused_where_it_is_not(
    house: InProcessFleet,
) -> None:
    review = asked(house)
    said = [say(house, review, WANG), say(house, review, WANG), say(house, review, LI, "no")]
    assert said == [Decided.APPLIED, Decided.REPEATED, Decided.OTHERWISE]
    assert output_of(house, review)["by"] == "wangfang"
