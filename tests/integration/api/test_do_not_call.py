"""The do-not-call list over HTTP: a number goes in and never comes out."""

from typing import Any

import pytest

from tests.support.api.client import ApiClient
from tests.support.factories import payload

LIST = "/contact/do-not-call"
PHONE = "13800138000"


def listed(api: ApiClient, **wish: object) -> dict[str, Any]:
    answer = api.post(LIST, "operator", json={"phone": PHONE, "reason": "客户来电", **wish})
    assert answer.status_code == 200, answer.text
    assert PHONE not in answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_an_order_of_a_listed_number_goes_to_a_person(api: ApiClient) -> None:
    entry = listed(api, phone="+86 138-0013-8000", by="王芳")["entry"]
    assert (entry["phone"], entry["added_by"], entry["holds"]) == ("138****8000", "operator", True)
    body = payload(metadata={"phone": PHONE})
    api.post("/agents/orchestrator/tasks/start", json=body)
    api.house.run()
    (review,) = api.get("/reviews", params={"task_id": body["task_id"]}).json()["reviews"]
    assert review["reason"] == "do_not_call"


def test_a_lifted_entry_is_shown_only_when_asked_for(api: ApiClient) -> None:
    entry = listed(api)["entry"]
    path = f"{LIST}/{entry['entry_id']}/lift"
    assert [api.post(path, json={}).json()["outcome"] for _ in range(2)] == ["applied", "repeated"]
    assert api.get(LIST).json()["entries"] == []
    (kept,) = api.get(LIST, params={"ended": True}).json()["entries"]
    assert (kept["lifted_by"], kept["holds"]) == ("admin", False)
    assert api.post(f"{LIST}/dnc_none/lift", json={}).status_code == 404


def test_the_same_again_is_repeated(api: ApiClient) -> None:
    assert [listed(api)["outcome"], listed(api)["outcome"]] == ["applied", "repeated"]
    assert listed(api, channel="sms", until="2150-05-01T00:00:00+08:00")["outcome"] == "applied"


def test_the_list_is_read_page_by_page_the_newest_first(api: ApiClient) -> None:
    made = [listed(api, phone=f"1380013800{n}")["entry"]["entry_id"] for n in range(5)]
    seen, cursor = [], None
    while True:
        page = api.get(LIST, params={"limit": 2} | ({"cursor": cursor} if cursor else {})).json()
        seen += [entry["entry_id"] for entry in page["entries"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert seen == made[::-1]


@pytest.mark.parametrize(
    "change",
    [
        {"phone": "138****8000"},
        {"phone": "1380013800"},
        {"phone": "\ud800"},
        {"phone": "1\x00"},
        {"reason": " "},
        {"channel": "fax"},
        {"until": "0001-01-01T00:00:00Z"},
        {"until": "2026-05-01T00:00:00"},
        {"until": "2020-05-01T00:00:00Z"},
        {"phone": "021-12345"},
    ],
)
def test_what_cannot_be_listed_is_refused_without_repeating_it(
    api: ApiClient, change: dict[str, Any]
) -> None:
    body = {"phone": PHONE, "reason": "x"} | change
    text = '{"phone": "\\ud800", "reason": "x"}' if change == {"phone": "\ud800"} else None
    answer = (
        api.post(LIST, content=text, headers={"Content-Type": "application/json"})
        if text
        else api.post(LIST, json=body)
    )
    assert answer.status_code == 422
    assert not any(number in answer.text for number in (PHONE, "1380013800"))


def test_operators_add_administrators_lift_and_others_do_not_see_it(api: ApiClient) -> None:
    entry = listed(api)["entry"]
    assert api.post(f"{LIST}/{entry['entry_id']}/lift", "operator", json={}).status_code == 403
    assert api.get(LIST, "orchestrator").status_code == 403
    assert api.get(LIST, "operator").status_code == 200
