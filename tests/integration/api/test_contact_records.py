"""Results that agents record: the first of an attempt counts, and what comes after it changes nothing that was read."""

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from tests.integration.orders.test_further_words import CANCELLED
from tests.support.api.client import ApiClient
from tests.support.factories import payload
from tests.support.orders.signals import contacts
from tests.support.probe import Probe

RECORD = "/agents/contact/result/record"
WAITS = "配件还没到，等配件到了再约"


def manual_order(api: ApiClient) -> str:
    """An order that outside agents drive; its id."""
    body = payload() | {"mode": "manual"}
    assert api.post("/agents/orchestrator/tasks/start", json=body).status_code == 200
    return str(body["task_id"])


def recorded(api: ApiClient, task_id: str, contact_id: str, words: str, result: str = "answered") -> Any:
    """The answer to an agent that says what came of a contact it made by itself."""
    given = {"task_id": task_id, "contact_id": contact_id, "result": result, "user_feedback": words}
    return api.post(RECORD, "contact_agent", json=given)


def test_a_later_result_does_not_rewrite_what_the_customer_said(api: ApiClient) -> None:
    task_id = manual_order(api)
    assert recorded(api, task_id, "CONT-A", WAITS).json()["outcome"] == "applied"
    assert recorded(api, task_id, "CONT-A", CANCELLED, "no_answer").json()["outcome"] == "late"
    (contact,) = contacts(api.house, task_id, "outbound")
    assert (contact.contact_result, contact.user_feedback) == ("answered", WAITS)


def test_other_words_that_come_later_are_kept_beside_the_first_and_a_person_is_alerted(
    api: ApiClient,
) -> None:
    task_id = manual_order(api)
    recorded(api, task_id, "CONT-A", WAITS)
    assert recorded(api, task_id, "CONT-A", CANCELLED).json()["outcome"] == "kept"
    (first,) = contacts(api.house, task_id, "outbound")
    (second,) = contacts(api.house, task_id, "inbound")
    assert (first.user_feedback, second.transcript) == (WAITS, CANCELLED)


def test_a_result_is_kept_whole_whatever_becomes_of_it(api: ApiClient) -> None:
    task_id = manual_order(api)
    recorded(api, task_id, "CONT-A", WAITS)
    recorded(api, task_id, "CONT-A", CANCELLED, "no_answer")
    database = api.house.database
    rows = Probe(database).rows(
        "SELECT body, 'callbacks.body.' || provider || '.' || event_id FROM callbacks ORDER BY callback_id"
    )
    kept = [json.loads(database.cipher.decrypt(bytes(body), place)) for body, place in rows]
    assert [(one["feedback"], one["result"]) for one in kept] == [
        (WAITS, "answered"),
        (CANCELLED, "no_answer"),
    ]


def test_two_agents_that_record_one_attempt_at_once_get_one_yes_and_one_conflict(api: ApiClient) -> None:
    for number in range(5):
        task_id, names = manual_order(api), (f"CONT-A{number}", f"CONT-B{number}")
        with ThreadPoolExecutor(2) as pool:
            answers = list(pool.map(lambda name, task=task_id: recorded(api, task, name, WAITS), names))
        assert sorted(answer.status_code for answer in answers) == [200, 409], [a.text for a in answers]
