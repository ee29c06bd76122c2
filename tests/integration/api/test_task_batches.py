"""Up to a thousand tasks in one request, each with a verdict of its own."""

import json
from typing import Any

import pytest

from storage.people.rejects import Rejects
from tests.support.api.client import ApiClient, in_chunks
from tests.support.api.general_work import look, work
from tests.support.factories import payload


def send(api: ApiClient, *items: Any) -> dict[str, Any]:
    """The answer to a batch that can be read."""
    answer = api.post(
        "/tasks/batch",
        "operator",
        content=json.dumps({"tasks": list(items)}),
        headers={"Content-Type": "application/json"},
    )
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    assert body["accepted"] + body["existing"] + body["rejected"] == len(body["results"]) == len(items)
    return body


def rejects(api: ApiClient) -> list[Any]:
    with api.house.database.transaction() as unit:
        return list(Rejects(unit).recent())


def test_orders_and_work_in_one_batch_are_all_begun(works: ApiClient) -> None:
    order = payload()
    body = send(works, order, work(), work(task_type="pending_task", parameters=payload()))
    assert (body["accepted"], body["rejected"]) == (3, 0)
    assert [(each["index"], each["status"], each["state"]) for each in body["results"]] == [
        (0, "running", "contacting"),
        (1, "created", None),
        (2, "running", "contacting"),
    ]
    assert all(each["error"] is None for each in body["results"])
    works.house.run()
    assert {look(works, each["task_id"])["status"] for each in body["results"]} == {"completed"}
    assert look(works, order["task_id"])["created_by"] == "operator"


def test_the_same_batch_again_begins_nothing_twice(works: ApiClient) -> None:
    items = [payload(), payload(), work(task_id="job-1")]
    send(works, *items)
    works.house.run()
    body = send(works, *items)
    assert (body["accepted"], body["existing"]) == (0, 3)
    assert [each["status"] for each in body["results"]] == ["completed"] * 3
    assert [each["state"] for each in body["results"]] == ["closed", "closed", None]


def test_an_item_that_comes_twice_in_a_batch_is_begun_once(works: ApiClient) -> None:
    order, job = payload(), work(task_id="job-1")
    body = send(works, order, job, order, job)
    assert [each["verdict"] for each in body["results"]] == ["accepted", "accepted", "existing", "existing"]


@pytest.mark.parametrize(
    ("item", "field"),
    [
        (None, "body"),
        (3, "body"),
        ([], "body"),
        ({}, "task_id"),
        ({"task_type": "two_steps"}, "description"),
        (work(task_type="nothing"), "task_type"),
        (work(task_type="strict_work", parameters={}), "parameters.amount"),
        (work(task_type="pending_task", parameters={}), "parameters.task_id"),
        (work(description="\x00"), "description"),
        (work(description="\ud800"), "description"),
        (payload(order_id="\ud800"), "order_id"),
        (payload(metadata={"note": "\x00"}), "metadata"),
        (payload(metadata={"note": "\ud800"}), "metadata"),
        (payload(metadata={"number": 2**64}), "metadata"),
        (payload(metadata={"number": float("nan")}), "metadata"),
        (payload(contact_count=10**30), "contact_count"),
        (payload(last_contact_time="0001-01-01T00:00:00Z"), "last_contact_time"),
        (payload(colour="red"), "colour"),
    ],
)
def test_a_bad_item_is_kept_with_its_reason_and_harms_no_other(
    works: ApiClient, item: Any, field: str
) -> None:
    before, after = payload(), work()
    body = send(works, before, item, after)
    assert [each["verdict"] for each in body["results"]] == ["accepted", "rejected", "accepted"]
    error = body["results"][1]["error"]
    assert error["code"] == "VALIDATION_FAILED"
    assert field in [fault["field"] for fault in error["details"]["fields"]]
    (kept,) = rejects(works)
    assert (kept.source, kept.problems) == ("http", error["details"]["fields"])


@pytest.mark.parametrize(
    ("item", "field", "message"),
    [
        (3, "body", "must be a JSON object"),
        (payload() | {"metadata": "none"}, "metadata", "must be a JSON object"),
        (work(parameters=[]), "parameters", "must be a JSON object"),
        (work(colour="red"), "colour", "is not a field of a task"),
    ],
)
def test_what_is_wrong_with_an_item_is_said_in_words_of_json(
    works: ApiClient, item: Any, field: str, message: str
) -> None:
    (result,) = send(works, item)["results"]
    assert {"field": field, "message": message} in result["error"]["details"]["fields"]


def test_what_is_kept_of_a_bad_item_is_what_was_sent(works: ApiClient) -> None:
    item = payload(order_type="不知道")
    send(works, item)
    (kept,) = rejects(works)
    assert json.loads(kept.payload) == item
    assert kept.task_id == item["task_id"]


def test_bad_items_raise_one_alert_a_batch(works: ApiClient) -> None:
    send(works, {}, [], payload())
    with works.house.database.transaction() as unit:
        count = unit.connection.exec_driver_sql(
            "SELECT count(*), max(metadata->>'count') FROM alerts WHERE alert_type = 'intake_rejected'"
        ).one()
    assert tuple(count) == (1, "2")


def test_what_belongs_to_another_task_is_a_conflict(works: ApiClient) -> None:
    first, busy = payload(order_id="SO-1"), payload(order_id="SO-1")
    send(works, first, work(task_id="job-1"))
    body = send(works, first | {"order_type": "已上门"}, busy, work(task_id="job-1", priority=9), payload())
    assert [each["verdict"] for each in body["results"]] == ["rejected"] * 3 + ["accepted"]
    codes = [each["error"]["code"] for each in body["results"][:3]]
    assert codes == ["STATE_CONFLICT"] * 3
    assert body["results"][0]["state"] == "contacting"
    assert len(rejects(works)) == 3
    with works.house.database.transaction() as unit:
        told = unit.connection.exec_driver_sql("SELECT metadata->>'count' FROM alerts").scalars().all()
    assert sum(map(int, told)) == 3


def test_no_verdict_shows_a_phone_number(works: ApiClient) -> None:
    item = payload(metadata={"phone": "13800138123"}, order_type="13800138123")
    assert "13800138123" not in json.dumps(send(works, item))


@pytest.mark.parametrize(
    "body", [{"tasks": []}, {"tasks": [{}] * 1001}, {"tasks": {}}, {}, {"tasks": [{}], "more": 1}]
)
def test_a_batch_has_one_to_a_thousand_items(works: ApiClient, body: dict[str, Any]) -> None:
    assert works.post("/tasks/batch", json=body).status_code == 422


def test_a_thousand_orders_fit_in_one_batch(works: ApiClient) -> None:
    items = [payload(metadata={"note": "备注" * 200}) for _ in range(1000)]
    body = send(works, *items)
    assert body["accepted"] == 1000
    assert [each["task_id"] for each in body["results"]] == [item["task_id"] for item in items]


@pytest.mark.parametrize("announced", [True, False])
def test_a_batch_may_be_larger_than_other_bodies_and_not_without_end(
    works: ApiClient, announced: bool
) -> None:
    padded = json.dumps({"tasks": [{}]}).encode()
    headers = {"Content-Type": "application/json"}
    for size, status in ((2 * 1_048_576, 200), (4 * 1_048_576 + 1, 413)):
        content = padded.ljust(size)
        sent = content if announced else in_chunks(content)
        assert works.post("/tasks/batch", content=sent, headers=headers).status_code == status
    assert works.post("/tasks", content=padded.ljust(2 * 1_048_576), headers=headers).status_code == 413
