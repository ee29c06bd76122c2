"""A definition whose steps all have other names: code finds its way by their purposes."""

from collections.abc import Iterator

import pytest
import yaml

from runtime.settings import PROJECT
from schemas.core.definition.reader import read_definition
from schemas.orders.signals import CustomerCalled
from statemachine.orders.states import State
from storage.people.reviews import Reviews
from tasks.orders.people.deciding import Decision, decide
from tasks.orders.people.undo import Undone, undo
from tasks.people.answers import Decided
from tests.support.factories import CANCEL, PARTS_MISSING, READY, answered, submission
from tests.support.in_process_fleet import InProcessFleet
from tests.support.orders.signals import receive_signal

SHIPPED = PROJECT / "config" / "workflows" / "pending_task_1.0.yaml"


def renamed() -> dict[str, object]:
    """The shipped definition with its steps called by numbers."""
    text = SHIPPED.read_text(encoding="utf-8")
    names = names_of_renamed()
    for step_id, name in names.items():
        text = text.replace(step_id, name)
    body: dict[str, object] = yaml.safe_load(text) | {"version": "1.1"}
    assert not {*read_definition(body).steps} & {*names}
    return body


def names_of_renamed() -> dict[str, str]:
    """By step of the shipped definition, what it is called there; the longest first."""
    ids = [step["id"] for step in yaml.safe_load(SHIPPED.read_text(encoding="utf-8"))["steps"]]
    return {step_id: f"n{number}" for number, step_id in enumerate(sorted(ids, key=len, reverse=True))}


@pytest.fixture
def house(database_url: str) -> Iterator[InProcessFleet]:
    built = InProcessFleet.build(database_url, workflows=[renamed()])
    yield built
    built.close()


def test_an_order_is_carried_to_its_end_with_an_answer_of_its_own_and_a_decision(
    house: InProcessFleet,
) -> None:
    order = submission(answered(PARTS_MISSING), answered(READY))
    house.accept(order)
    house.run()
    task_id = order.body.task_id
    assert house.order(task_id).status is State.WAITING_FOLLOWUP
    receive_signal(house, task_id, CustomerCalled(words=CANCEL))
    house.run()
    assert house.order(task_id).status is State.CLASSIFIED
    assert undo(house.engine, task_id, by="王芳", reason="客户改了主意")[0] is Undone.DONE
    with house.database.transaction() as work:
        (review,) = Reviews(work).list(task_id=task_id)
    decided, _ = decide(
        house.engine, house.context, review.review_id, Decision(decision="recontact", decided_by="王芳")
    )
    assert decided is Decided.APPLIED
    house.run_to_the_end()
    assert house.order(task_id).status is State.CLOSED
    assert all(step["node"].startswith("n") for step in house.steps(task_id))


def test_an_order_whose_customer_agrees_is_closed(house: InProcessFleet) -> None:
    order = submission(answered(READY))
    house.accept(order)
    house.run_to_the_end()
    assert house.order(order.body.task_id).finish_reason == "visit_arranged"
