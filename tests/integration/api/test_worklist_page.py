"""The worklist as it is read: in the order in which it is taken, with counts that are its lists (CONSOLE.md §4)."""

from dataclasses import replace
from typing import Any

import pytest

from runtime.personal import PersonalFields
from schemas.access.roles import Role
from storage.people.worklist import COUNTED
from tasks.orders.people.worklist import worklist_page
from tests.support.api.client import ApiClient, register_person
from tests.support.factories import answered, payload
from tests.support.probe import Probe

START = "/agents/orchestrator/tasks/start"
WANG, LI = "wangfang", "lilei"
UNCLEAR = "喂？听不清，打 13964805678"


@pytest.fixture
def api(api: ApiClient) -> ApiClient:
    """The API with two reviewers."""
    for login in (WANG, LI):
        register_person(api.house, login, Role.REVIEWER)
    return api


def asked_about(api: ApiClient, priority: int = 1, **metadata: Any) -> str:
    """The review of an order that cannot be called."""
    body = payload(metadata={"phone": None, **metadata}, priority=priority)
    assert api.post(START, json=body).status_code < 300
    review_id: str = Probe(api.house.database).value(
        "SELECT review_id FROM reviews WHERE task_id = %s", body["task_id"]
    )
    return review_id


def change(api: ApiClient, review_id: str, what: str) -> None:
    Probe(api.house.database).write(f"UPDATE reviews SET {what} WHERE review_id = %s", review_id)


def take(api: ApiClient, review_id: str, agent: str = WANG) -> None:
    assert api.post(f"/reviews/{review_id}/take", agent, json={}).status_code == 200


def page(api: ApiClient, agent: str = WANG, **query: Any) -> Any:
    answer = api.get("/reviews/worklist", agent, params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


def ids(found: Any) -> list[str]:
    return [row["review_id"] for row in found["reviews"]]


def in_pages(api: ApiClient, limit: int, **query: Any) -> list[str]:
    """What is read page by page."""
    found = page(api, limit=limit, **query)
    got = ids(found)
    while found["next_cursor"]:
        found = page(api, limit=limit, cursor=found["next_cursor"], **query)
        assert len(found["reviews"]) <= limit
        got += ids(found)
    return got


def mixed(api: ApiClient) -> list[str]:
    """Reviews of every band, product and region, some of them taken."""
    found = [
        asked_about(
            api, 1 + nth % 3, product=("冷柜", "空调")[nth % 2], region=("华东", "华北", "华南")[nth % 3]
        )
        for nth in range(10)
    ]
    found += [asked_about(api, product="冷柜"), asked_about(api)]
    change(api, found[2], "flagged = true, reason = 'safety'")
    change(api, found[5], "flagged = true, suggestion = '可上门'")
    change(api, found[3], "deadline_at = business_now() + interval '29 minutes', suggestion = '可上门'")
    change(api, found[7], "deadline_at = business_now() - interval '1 minute', workflow = 'refund'")
    change(api, found[8], "rank_at = rank_at - interval '90 minutes', reason = 'safety'")
    return found


def test_the_worklist_is_read_in_the_order_in_which_it_is_taken(api: ApiClient) -> None:
    mixed(api)
    read = ids(page(api))
    taken = []
    while review := api.post("/reviews/next", WANG, json={}).json()["review"]:
        taken.append(review["review_id"])
    assert len(taken) == 12
    assert read == taken


@pytest.mark.parametrize("limit", [1, 2, 5, 12])
def test_pages_put_together_are_the_whole_list(api: ApiClient, limit: int) -> None:
    mixed(api)
    assert in_pages(api, limit) == ids(page(api))


def test_what_becomes_nearly_overdue_while_one_reads_on_is_not_left_out(api: ApiClient) -> None:
    first, second, third = (asked_about(api) for _ in range(3))
    change(api, third, "deadline_at = business_now() + interval '31 minutes'")
    begun = page(api, limit=2)
    assert ids(begun) == [first, second]
    Probe(api.house.database).write(
        "UPDATE business_clock SET business_time = business_time + interval '2 minutes'"
    )
    assert ids(page(api, limit=2, cursor=begun["next_cursor"])) == [third]
    assert ids(page(api))[0] == third


def test_a_row_says_what_it_is_about_and_none_of_the_customers_words(api: ApiClient) -> None:
    body = payload(
        answered(UNCLEAR),
        metadata={"product": "冷柜", "region": "华东", "customer_name": "王小明"},
        priority=4,
    )
    api.post(START, json=body)
    api.house.run()
    (row,) = page(api)["reviews"]
    assert (row["task_id"], row["product"], row["region"]) == (body["task_id"], "冷柜", "华东")
    assert (row["workflow"], row["priority"]) == ("pending_task", 4)
    assert "听不清" not in str(row)
    assert "王小明" not in str(row)


def test_what_was_understood_is_the_suggestion(api: ApiClient) -> None:
    api.post(START, json=payload(answered(UNCLEAR)))
    api.house.run()
    (row,) = page(api)["reviews"]
    context = Probe(api.house.database).value("SELECT context FROM reviews")
    assert context["intent_level2"]
    assert row["suggestion"] == context["intent_level2"]


def test_the_time_left_is_the_business_clocks(api: ApiClient) -> None:
    late, soon, without = (asked_about(api) for _ in range(3))
    change(api, late, "deadline_at = business_now() - interval '1 hour'")
    change(api, soon, "deadline_at = business_now() + interval '20 minutes'")
    change(api, without, "deadline_at = NULL")
    left = {row["review_id"]: row["seconds_left"] for row in page(api)["reviews"]}
    assert left[late] <= -3600
    assert 0 < left[soon] <= 1200
    assert left[without] is None


def test_metadata_that_are_no_text_are_no_product(api: ApiClient) -> None:
    asked_about(api, product={"name": "冷柜"}, region="东" * 80)
    (row,) = page(api)["reviews"]
    assert (row["product"], row["region"]) == (None, "东" * 64)


def test_mine_free_and_anothers_are_all_there_are(api: ApiClient) -> None:
    free, mine, anothers, lapsed = (asked_about(api) for _ in range(4))
    take(api, mine)
    take(api, anothers, LI)
    take(api, lapsed, LI)
    change(api, lapsed, "claimed_until = claimed_until - interval '6 minutes'")
    found = {holder: page(api, holder=holder) for holder in ("mine", "others", "free", "anyone")}
    assert {holder: ids(each) for holder, each in found.items()} == {
        "mine": [mine],
        "others": [anothers],
        "free": [free, lapsed],
        "anyone": [free, mine, anothers, lapsed],
    }
    assert {holder: each["total"] for holder, each in found.items()} == {
        "mine": 1,
        "others": 1,
        "free": 2,
        "anyone": 4,
    }
    assert found["mine"]["reviews"][0]["claimed_by"] == WANG


@pytest.mark.parametrize(
    "chosen",
    [
        {},
        {"product": "冷柜"},
        {"product": "冷柜", "region": "华东", "flagged": "false"},
        {"region": ""},
        {"reason": "safety", "suggestion": ""},
        {"flagged": "true", "holder": "free"},
        {"workflow": "refund"},
        {"product": "洗衣机"},
        {"holder": "mine", "product": "空调"},
    ],
    ids=str,
)
def test_every_count_is_the_list_that_it_opens(api: ApiClient, chosen: dict[str, str]) -> None:
    found = mixed(api)
    take(api, found[1])
    take(api, found[2], LI)
    counted = page(api, **chosen)
    assert set(counted["counts"]) == set(COUNTED)
    assert counted["total"] == len(in_pages(api, 5, **chosen))
    for name, counts in counted["counts"].items():
        for count in counts:
            opened = page(api, **{**chosen, name: count["value"]})
            assert opened["total"] == len(opened["reviews"]) == count["reviews"] > 0
        without = {key: value for key, value in chosen.items() if key != name}
        assert sum(count["reviews"] for count in counts) == page(api, **without)["total"]


def test_what_is_decided_is_neither_listed_nor_counted(api: ApiClient) -> None:
    left, decided = asked_about(api), asked_about(api)
    change(api, decided, "state = 'decided'")
    found = page(api)
    assert (ids(found), found["total"]) == ([left], 1)


def test_a_cursor_of_another_list_is_refused(api: ApiClient) -> None:
    for _ in range(2):
        asked_about(api)
    cursor = api.get("/reviews", params={"limit": 1}).json()["next_cursor"]
    answer = api.get("/reviews/worklist", params={"cursor": cursor})
    assert answer.status_code == 422
    assert "cursor" in answer.text


def test_what_was_declared_personal_since_is_neither_shown_nor_counted(api: ApiClient) -> None:
    asked_about(api, product="冷柜", region="华东")
    context = replace(api.house.context, personal=PersonalFields.of((), ("product",)))
    found = worklist_page(api.house.database, context)
    (row,) = found.rows
    assert (row.product, row.region) == (None, "华东")
    assert "product" not in found.counts
    assert "冷柜" not in repr(found)
