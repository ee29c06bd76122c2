"""Lists show how open tasks stand, from Redis where it is up to date and from PostgreSQL otherwise."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tasks.flows.live.live_store import PREFIX
from tests.support.api.client import ApiClient, api_over, register_keys
from tests.support.factories import PARTS_MISSING, READY, answered, payload, silent
from tests.support.in_process_fleet import InProcessFleet
from tests.support.live_state import LiveStateAtWork
from tests.support.waiting import wait_until

AWAY = "redis://127.0.0.1:1/0"


@dataclass(slots=True)
class Lists:
    """The API, and the live state that it reads."""

    api: ApiClient
    live: LiveStateAtWork

    def order(self, *script: dict[str, object]) -> str:
        body = payload(*script)
        assert self.api.post("/tasks", json=body).status_code == 200
        self.api.house.run()
        return str(body["task_id"])

    def listed(self, task_id: str) -> Any:
        """What the list shows of how it stands."""
        (task,) = [each for each in self.api.get("/tasks").json()["tasks"] if each["task_id"] == task_id]
        return task["live"]

    def overview(self, condition: str) -> Any:
        """The overview, once it is in this condition: on a busy machine Redis may not answer in time."""
        wait_until(lambda: self.api.get("/live").json()["condition"] == condition)
        return self.api.get("/live").json()

    def mark(self, task_id: str, title: str) -> None:
        """Let the hash say what PostgreSQL does not: who shows it has read the hash."""
        self.live.redis.hset(self.live.key_of(task_id), "title", title)


@pytest.fixture
def house(database_url: str, broker_url: str) -> Iterator[InProcessFleet]:
    built = InProcessFleet.build(database_url, broker_url=broker_url)
    register_keys(built)
    yield built
    built.close()


@pytest.fixture
def lists(house: InProcessFleet, broker_url: str) -> Iterator[Lists]:
    live = LiveStateAtWork.over(house, broker_url)
    with api_over(house) as api:
        yield Lists(api, live)
    live.close()


def test_a_list_shows_how_an_open_task_stands(lists: Lists) -> None:
    task_id = lists.order(answered(PARTS_MISSING))
    shown = lists.listed(task_id)
    assert shown["next_at"] > shown["at"]
    assert {**shown, "next_at": "", "at": ""} == {
        "stage": "action",
        "title": "已安排跟进: 配件未到",
        "status": "running",
        "at": "",
        "attempt": 1,
        "waiting_for": "time",
        "next_at": "",
    }


def test_a_list_reads_redis_and_shows_what_postgresql_would(lists: Lists) -> None:
    task_id = lists.order(answered(PARTS_MISSING))
    from_postgresql = lists.listed(task_id)
    lists.live.follow()
    assert lists.listed(task_id) == from_postgresql
    lists.mark(task_id, "from the hash")
    # Redis may not answer in time on a busy machine: then PostgreSQL does.
    wait_until(lambda: lists.listed(task_id) == from_postgresql | {"title": "from the hash"})


def test_a_hash_that_is_older_than_the_task_is_not_shown(lists: Lists) -> None:
    task_id = lists.order(answered(PARTS_MISSING))
    lists.live.follow()
    lists.mark(task_id, "from the hash")
    lists.api.post(f"/tasks/{task_id}/pause")
    assert lists.listed(task_id)["title"] != "from the hash"


def test_a_hash_that_is_not_kept_up_to_date_is_not_shown(lists: Lists) -> None:
    task_id = lists.order(answered(PARTS_MISSING))
    lists.live.follow()
    lists.mark(task_id, "from the hash")
    lists.live.redis.delete(f"{PREFIX}fresh")
    assert lists.listed(task_id)["title"] != "from the hash"


def test_a_hash_in_another_form_is_not_shown(lists: Lists) -> None:
    task_id = lists.order(answered(PARTS_MISSING))
    lists.live.follow()
    from_postgresql = lists.listed(task_id)
    lists.live.redis.hset(lists.live.key_of(task_id), "waiting_for", "something new")
    assert lists.listed(task_id) == from_postgresql
    lists.live.redis.hdel(lists.live.key_of(task_id), "waiting_for", "updated_at")
    assert lists.listed(task_id) == from_postgresql


def test_an_ended_task_has_no_live_state(lists: Lists) -> None:
    task_id = lists.order(answered(READY))
    lists.live.follow()
    assert lists.listed(task_id) is None


def test_without_redis_lists_answer_from_postgresql(database_url: str) -> None:
    house = InProcessFleet.build(database_url, broker_url=AWAY)
    register_keys(house)
    with api_over(house) as api:
        body = payload(answered(PARTS_MISSING))
        api.post("/tasks", json=body)
        house.run()
        answer = api.get("/tasks")
        assert answer.status_code == 200
        assert answer.json()["tasks"][0]["live"]["waiting_for"] == "time"
        assert api.get("/live").json()["condition"] == "away"
        refused = api.post("/live/rebuild")
        assert (refused.status_code, refused.json()["error"]["code"]) == (503, "SERVICE_UNAVAILABLE")
    house.close()


def test_the_overview_counts_open_tasks_and_names_the_newest_changes(lists: Lists) -> None:
    assert lists.overview("absent")["newest"] == []
    first, _, last = (lists.order(answered(words)) for words in (PARTS_MISSING, READY, PARTS_MISSING))
    lists.live.follow()
    overview = lists.overview("current")
    assert overview["open"]["orders"] == {"waiting_followup": 2}
    assert [task["task_id"] for task in overview["newest"]][:2] == [last, first]
    assert overview["newest"][0]["live"] == lists.listed(last)


def test_the_overview_says_how_far_a_rebuild_is(lists: Lists) -> None:
    lists.order(silent())
    lists.live.follower.round()
    begun = lists.overview("rebuilding")
    assert (begun["rebuilt"], begun["total"]) == (0, 1)


def test_a_rebuild_that_is_asked_for_brings_back_what_was_lost(lists: Lists) -> None:
    task_id = lists.order(answered(PARTS_MISSING))
    lists.live.follow()
    lists.live.redis.delete(lists.live.key_of(task_id))
    assert lists.api.post("/live/rebuild").status_code == 202
    lists.live.follow()
    assert lists.live.hash_of(task_id)["state"] == "waiting_followup"


def test_only_an_admin_may_rebuild(lists: Lists) -> None:
    assert lists.api.post("/live/rebuild", agent="operator").status_code == 403
    assert lists.api.get("/live", agent="operator").status_code == 200
