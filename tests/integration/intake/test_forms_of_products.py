"""A product that registers a task form is served like the others: accepted, listed, steered, replayed by its form."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from engine.catalogue import register
from statemachine.workflow.states import RunState
from storage.flows.task_list import TaskFilter, TaskList, TaskRow
from storage.people.rejects import Rejects
from tasks.flows.task_batch import BatchItemResult, accept_batch
from tasks.forms import Acceptance, EntryPoint, Sender, TaskForms
from tasks.people.replay import RejectResult, replay
from tasks.registry import PRODUCTS
from tasks.verbs import Verb, VerbResult
from tests.support.agents import QUEUES
from tests.support.factories import payload
from tests.support.in_process_fleet import InProcessFleet
from tests.toy_product import product, task_form
from tests.toy_product.task_form import ParcelForm

PARCEL = {"parcel_id": "P1", "shipment_id": "S1", "grams": 300}
WORK = {
    "task_type": "triage.classify_text",
    "description": "读",
    "parameters": {"text": "a"},
    "task_id": "W1",
}


@pytest.fixture
def house(database_url: str) -> Iterator[InProcessFleet]:
    queues = (*QUEUES, product.QUEUE)
    built = InProcessFleet.build(database_url, products=[product.PARCELS.bind(None)], queues=queues)
    with built.database.transaction() as work:
        work.connection.execute(product.TABLE)
        work.connection.execute(task_form.TABLE)
        register(work, [product.DEFINITION], products=(*PRODUCTS, product.PARCELS), queues=queues)
    yield built
    built.close()


@pytest.fixture
def forms(house: InProcessFleet) -> TaskForms:
    """The forms of this installation, with that of parcels before them."""
    return replace(house.forms, products=(ParcelForm(), *house.forms.products))


def accepted(house: InProcessFleet, forms: TaskForms, *sent: Any) -> list[BatchItemResult]:
    return accept_batch(house.engine, forms, sent, Sender("operator"), EntryPoint.HTTP)


def listed(house: InProcessFleet, forms: TaskForms, **wanted: Any) -> dict[str, TaskRow]:
    with house.database.transaction() as work:
        rows = TaskList(work, forms.subjects).page(TaskFilter(**wanted), after=None, limit=10)
    return {row.task_id: row for row in rows}


def test_a_batch_takes_tasks_of_every_product(house: InProcessFleet, forms: TaskForms) -> None:
    by_type = {"task_type": "parcel", "description": "包裹", "parameters": PARCEL | {"parcel_id": "P2"}}
    order = payload()
    items = accepted(house, forms, PARCEL, order, WORK, by_type, PARCEL)
    assert [item.receipt.task_id for item in items] == ["P1", order["task_id"], "W1", "P2", "P1"]
    assert [item.receipt.result for item in items] == [Acceptance.ACCEPTED] * 4 + [Acceptance.EXISTING]
    house.run()
    assert {row.status for row in listed(house, forms).values()} == {RunState.COMPLETED}


def test_one_list_shows_the_subjects_of_every_product(house: InProcessFleet, forms: TaskForms) -> None:
    order = payload()
    accepted(house, forms, PARCEL, order, WORK)
    rows = listed(house, forms)
    shown = {task_id: (row.product, row.order_id, row.state) for task_id, row in rows.items()}
    assert shown == {
        "P1": ("parcels", "S1", "arrived"),
        order["task_id"]: ("orders", order["order_id"], "contacting"),
        "W1": (None, None, None),
    }
    assert listed(house, forms, order_id="S1").keys() == {"P1"}
    assert listed(house, forms, state="contacting").keys() == {order["task_id"]}


def test_a_task_is_found_by_the_id_of_its_subject(house: InProcessFleet, forms: TaskForms) -> None:
    accepted(house, forms, PARCEL)
    with house.database.transaction() as work:
        row = TaskList(work, forms.subjects).find("P1")
        assert row is not None
        assert forms.product(row.product or "").given(work, row.task_id) == {"grams": 300}


def test_a_verb_is_carried_out_in_the_way_of_the_product(house: InProcessFleet, forms: TaskForms) -> None:
    accepted(house, forms, PARCEL, WORK)
    results = [
        forms.steer(house.engine, task_id, Verb.CANCEL, by="operator", reason=None)
        for task_id in ("P1", "W1", "nothing")
    ]
    assert results == [VerbResult.DONE, VerbResult.DONE, VerbResult.UNKNOWN]
    assert listed(house, forms)["P1"].state == "returned"
    assert {row.status for row in listed(house, forms).values()} == {RunState.CANCELLED}


def test_what_a_form_refused_is_replayed_by_that_form(house: InProcessFleet, forms: TaskForms) -> None:
    accepted(house, forms, PARCEL)
    (item,) = accepted(house, forms, PARCEL | {"grams": 5})
    assert item.receipt.result is Acceptance.OTHER_BODY
    with house.database.transaction() as work:
        (reject,) = Rejects(work).recent()
    refused = replay(house.engine, forms, house.context.personal, reject.reject_id, None, by="王芳")
    assert (refused.outcome, refused.acceptance) == (RejectResult.REFUSED, Acceptance.OTHER_BODY)
    corrected = PARCEL | {"parcel_id": "P2", "grams": 5}
    assert (
        replay(house.engine, forms, house.context.personal, reject.reject_id, corrected, by="王芳").outcome
        is RejectResult.REPLAYED
    )
    assert listed(house, forms).keys() == {"P1", "P2"}


def test_an_error_names_the_fields_of_the_form_that_was_meant(
    house: InProcessFleet, forms: TaskForms
) -> None:
    items = accepted(house, forms, {"parcel_id": "P1"}, {}, {"task_type": "parcel"})
    fields = [{problem.field for problem in item.receipt.problems} for item in items]
    assert fields == [{"shipment_id", "grams"}, {"task_id", "order_id", "order_type"}, {"description"}]
