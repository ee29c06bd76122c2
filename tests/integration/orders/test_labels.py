"""What people's decisions on reviews leave behind, and which decisions shadow mode puts before them."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from runtime.settings import PROJECT
from statemachine.orders.intents import Level2
from statemachine.orders.states import State
from storage.orders.labels import Label, Labels, NewLabel
from storage.people.reviews import Review, Reviews
from tasks.orders.people.deciding import Decision, decide
from tasks.people.answers import Decided
from tests.support.factories import CANCEL, PARTS_MISSING, READY, answered
from tests.support.in_process_fleet import InProcessFleet
from tests.support.orders.signals import order_run
from tests.support.probe import Probe
from tools.policies.shadow_mode import REASON
from training.label_conversion import decision_of, training_text_of

UNCLEAR = "喂？听不清，你说什么"
BuildShadowed = Callable[..., InProcessFleet]


@pytest.fixture
def shadowed(database_url: str, tmp_path: Path) -> Iterator[BuildShadowed]:
    """Builds a house whose shadow mode has these shares."""
    built: list[InProcessFleet] = []

    def build(**intents: float) -> InProcessFleet:
        folder = tmp_path / "config"
        shutil.copytree(PROJECT / "config" / "policies", folder / "policies")
        text = f"seed: 1\nshare_percent: 0\nintents: {intents}\n"
        (folder / "policies" / "shadow.yaml").write_text(text, encoding="utf-8")
        built.append(InProcessFleet.build(database_url, config_folder=folder))
        return built[-1]

    yield build
    for house in built:
        house.close()


def open_review(house: InProcessFleet, task_id: str) -> Review:
    with house.database.transaction() as work:
        (review,) = Reviews(work).list(task_id=task_id)
    return review


def answer(house: InProcessFleet, task_id: str, level2: Level2 | None, decision: str = "classify") -> Decided:
    given = Decision(decision=decision, decided_by="王芳", intent_level2=level2, reason="听录音")
    return decide(house.engine, house.context, open_review(house, task_id).review_id, given)[0]


def labels(house: InProcessFleet) -> list[Label]:
    with house.database.transaction() as work:
        return Labels(work).given()


def test_a_persons_intent_is_kept_with_the_words_and_what_the_model_made_of_them(
    house: InProcessFleet,
) -> None:
    task_id = order_run(house, answered(UNCLEAR))
    context = open_review(house, task_id).context
    answer(house, task_id, Level2.PARTS_PENDING)
    (label,) = labels(house)
    assert (label.task_id, label.words, label.level2) == (task_id, UNCLEAR, "配件未到")
    assert (label.predicted_level2, label.confidence) == (context["intent_level2"], context["confidence"])
    assert (label.model, label.automatic) == (house.context.classifier.model_hash, False)
    assert (label.source, label.labelled_by, label.contact_id) == ("review", "王芳", context["contact_id"])


def test_the_words_are_encrypted_where_they_are_kept(house: InProcessFleet) -> None:
    answer(house, order_run(house, answered(UNCLEAR)), Level2.READY_TO_VISIT)
    stored = Probe(house.database).value("SELECT words FROM intent_labels")
    assert "听不清".encode() not in bytes(stored)
    assert "听不清" not in repr(labels(house))


def test_the_same_decision_again_leaves_no_second_label(house: InProcessFleet) -> None:
    task_id = order_run(house, answered(UNCLEAR))
    review_id = open_review(house, task_id).review_id
    given = Decision(decision="classify", decided_by="王芳", intent_level2=Level2.READY_TO_VISIT)
    verdicts = [decide(house.engine, house.context, review_id, given)[0] for _ in range(2)]
    assert verdicts == [Decided.APPLIED, Decided.REPEATED]
    assert len(labels(house)) == 1


def test_a_decision_without_an_intent_leaves_no_label(house: InProcessFleet) -> None:
    answer(house, order_run(house, answered(UNCLEAR)), None, decision="recontact")
    assert labels(house) == []


def test_a_review_that_is_not_about_words_leaves_no_label(house: InProcessFleet) -> None:
    task_id = order_run(house, metadata={"phone": None})
    assert answer(house, task_id, None, decision="close") is Decided.APPLIED
    assert labels(house) == []


def test_erased_words_still_count_and_teach_nothing(house: InProcessFleet) -> None:
    answer(house, order_run(house, answered(UNCLEAR)), Level2.READY_TO_VISIT)
    Probe(house.database).write("UPDATE intent_labels SET words = ''")
    (label,) = labels(house)
    assert (label.words, training_text_of(label)) == (None, None)
    assert decision_of(label).level2 is Level2.READY_TO_VISIT


def test_a_bare_answer_teaches_what_it_was_about(house: InProcessFleet) -> None:
    label = NewLabel(
        task_id=order_run(house, answered(PARTS_MISSING)),
        contact_id=None,
        words="还没到",
        predicted_level2="需人工",
        confidence=0.5,
        automatic=False,
        model="a model",
        level2="配件未到",
        source="review",
        labelled_by="王芳",
    )
    with house.database.transaction() as work:
        Labels(work).keep([label])
    lesson = training_text_of(labels(house)[0])
    assert lesson is not None
    assert lesson.text == "配件还没到"


def test_in_shadow_mode_a_person_decides_what_the_fleet_would_have_done(shadowed: BuildShadowed) -> None:
    house = shadowed(可上门=100)
    task_id = order_run(house, answered(READY))
    review = open_review(house, task_id)
    assert house.order(task_id).status is State.CLASSIFIED
    assert (review.reason, review.context["intent_level2"]) == (REASON, "可上门")
    assert "本会自动执行「可上门」" in review.question
    answer(house, task_id, Level2.READY_TO_VISIT)
    house.run()
    assert house.order(task_id).finish_reason == "visit_arranged"
    (label,) = labels(house)
    assert (label.source, label.automatic, label.predicted_level2) == ("shadow", True, "可上门")


def test_other_intents_go_on_by_themselves(shadowed: BuildShadowed) -> None:
    house = shadowed(可上门=100)
    task_id = order_run(house, answered(PARTS_MISSING))
    assert house.order(task_id).status is State.WAITING_FOLLOWUP


def test_a_cancellation_in_shadow_mode_is_a_persons(shadowed: BuildShadowed) -> None:
    house = shadowed(不再需要=100)
    task_id = order_run(house, answered(CANCEL))
    house.run_to_the_end()
    assert house.order(task_id).status is State.CLASSIFIED
    answer(house, task_id, Level2.PARTS_PENDING)
    house.run()
    assert house.order(task_id).status is State.WAITING_FOLLOWUP
    assert decision_of(labels(house)[0]).level2 is Level2.PARTS_PENDING


def test_what_goes_to_a_person_anyway_is_not_shadowed(shadowed: BuildShadowed) -> None:
    house = shadowed(**{level2.value: 100 for level2 in Level2})
    assert open_review(house, order_run(house, answered(UNCLEAR))).reason != REASON


def test_what_a_person_does_not_confirm_is_counted(shadowed: BuildShadowed) -> None:
    house = shadowed(可上门=100)
    answer(house, order_run(house, answered(READY)), None, decision="close")
    with house.database.transaction() as work:
        (found,) = Labels(work).unconfirmed(REASON)
    assert (found.level2, found.amount, found.model) == ("可上门", 1, house.context.classifier.model_hash)
    assert labels(house) == []


def test_all_that_was_read_is_counted_by_whether_a_person_saw_it(shadowed: BuildShadowed) -> None:
    house = shadowed(可上门=100)
    for words in (READY, PARTS_MISSING, PARTS_MISSING):
        order_run(house, answered(words))
    with house.database.transaction() as work:
        found = {(each.level2, each.alone): each.amount for each in Labels(work).classified()}
    assert found == {("可上门", False): 1, ("配件未到", True): 2}
