"""Orders whose customers' words a language model reads too: it may send them to a person, and no more."""

from collections.abc import Callable, Iterator

import pytest

from statemachine.orders.states import State
from storage.people.reviews import Review, Reviews
from tests.support.factories import CANCEL, PARTS_MISSING, READY, answered
from tests.support.in_process_fleet import InProcessFleet
from tests.support.language_model_server import Behaviour, LanguageModelServer, Reply, always, says
from tests.support.orders.signals import order_run

Advised = Callable[[Behaviour], tuple[InProcessFleet, LanguageModelServer]]


@pytest.fixture
def advised(database_url: str) -> Iterator[Advised]:
    """Builds a house that asks a language model which behaves so."""
    built: list[tuple[InProcessFleet, LanguageModelServer]] = []

    def build(behaviour: Behaviour) -> tuple[InProcessFleet, LanguageModelServer]:
        server = LanguageModelServer(behaviour)
        server.__enter__()
        house = InProcessFleet.build(
            database_url,
            language_model_url=server.url,
            language_model_key="sk-of-the-tests",
            language_model_name="tested",
        )
        assert house.context.language_model is not None
        # How fast this machine is at the moment is no property of the code.
        house.context.language_model._deadline_seconds = 20.0
        built.append((house, server))
        return built[-1]

    yield build
    for house, server in built:
        server.ended.set()
        if house.context.language_model is not None:
            house.context.language_model.close()
        house.close()
        server.__exit__(None, None, None)


def answered_with(house: InProcessFleet, words: str) -> str:
    """An order whose customer answered with these words."""
    return order_run(house, answered(words))


def reviews(house: InProcessFleet, task_id: str) -> list[Review]:
    with house.database.transaction() as work:
        return Reviews(work).list(task_id=task_id)


def test_two_models_that_agree_let_the_order_go_on(advised: Advised) -> None:
    house, server = advised(says("可上门"))
    assert house.order(answered_with(house, READY)).finish_reason == "visit_arranged"
    assert server.asked[0].words == {"customer_words": READY, "why_suspended": "等待配件"}


def test_two_models_that_disagree_leave_it_to_a_person(advised: Advised) -> None:
    house, _ = advised(says("配件未到"))
    task_id = answered_with(house, CANCEL)
    house.run_to_the_end()
    (review,) = reviews(house, task_id)
    assert house.order(task_id).status is State.CLASSIFIED
    assert (review.reason, review.context["intent_level2"]) == ("needs_confirmation", "不再需要")
    assert "语言模型读作配件未到" in review.question


def test_what_goes_to_a_person_anyway_is_not_asked_about(advised: Advised) -> None:
    house, server = advised(says("可上门"))
    assert len(reviews(house, answered_with(house, "喂？听不清，你说什么"))) == 1
    assert server.asked == []


@pytest.mark.parametrize(
    "reply",
    [Reply(status=429), Reply(status=500), Reply(""), Reply("{"), Reply(drop=True)],
    ids=["too many", "error", "blank", "no JSON", "dropped"],
)
def test_a_model_that_fails_changes_nothing(advised: Advised, reply: Reply) -> None:
    house, server = advised(always(reply))
    assert house.order(answered_with(house, READY)).finish_reason == "visit_arranged"
    assert len(server.asked) == 1


def test_without_an_endpoint_nothing_is_asked_and_nothing_changes(house: InProcessFleet) -> None:
    assert house.context.language_model is None
    assert house.order(answered_with(house, PARTS_MISSING)).status is State.WAITING_FOLLOWUP
