"""The live state in Redis follows the orders, never goes back, and comes back when it is lost."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import groupby

import pytest
from sqlalchemy import text

from statemachine.orders.states import State
from statemachine.workflow.states import RunState
from storage.flows.live_states import LiveState, LiveStates
from storage.outbound.feed import Cursor
from tasks.flows.live.live_store import PREFIX
from tasks.verbs import Verb
from tests.support.factories import PARTS_MISSING, READY, answered, silent, submission
from tests.support.in_process_fleet import InProcessFleet
from tests.support.live_state import LiveStateAtWork

PHONE = "13800137531"
ADDRESS = "幸福路17号3栋502"
WORDS = f"配件还没到，等配件到了再说，打我另一个号码{PHONE}"


@pytest.fixture
def live(house: InProcessFleet, broker_url: str) -> Iterator[LiveStateAtWork]:
    at_work = LiveStateAtWork.over(house, broker_url)
    yield at_work
    at_work.close()


def accepted(live: LiveStateAtWork, *script: dict[str, object], **changes: object) -> str:
    (receipt,) = live.house.accept(submission(*script, **changes))
    return str(receipt.task_id)


def followed(live: LiveStateAtWork, task_id: str) -> Iterator[dict[str, str]]:
    """The hash of an order after each message that was worked, until it is closed."""
    while live.house.order(task_id).status is not State.CLOSED:
        if live.house.wire.messages:
            live.house.execute(live.house.wire.messages.popleft())
        elif (swept := live.house.tick.sweep()) is not None and not swept.any:
            live.house.leap()
        live.follow()
        yield live.hash_of(task_id)


def state_of(live: LiveStateAtWork, task_id: str) -> LiveState:
    """As PostgreSQL has it."""
    with live.house.database.transaction() as work:
        (found,) = LiveStates(work, live.house.forms.subjects).of([live.house.order(task_id).run_id])
    return found


def test_the_hash_of_an_order_follows_it_through_its_states(live: LiveStateAtWork) -> None:
    live.follow()
    task_id = accepted(live, silent(), answered(PARTS_MISSING), answered(READY), priority=7)
    seen = list(followed(live, task_id))
    states = [state for state, _ in groupby(each["state"] for each in seen)]
    assert states == [
        "no_response", "contacting", "responded", "classified", "waiting_followup",
        "contacting", "responded", "classified", "action_taken", "closed",
    ]  # fmt: skip
    assert {each["priority"] for each in seen} == {"7"}
    stages = {each["state"]: each["stage"] for each in seen}
    assert stages["closed"] == "close"


def test_what_an_order_waits_for_is_in_its_hash(live: LiveStateAtWork) -> None:
    live.follow()
    task_id = accepted(live, answered(PARTS_MISSING))
    live.follow()
    assert live.hash_of(task_id)["waiting_for"] == "worker"
    live.house.run()
    live.follow()
    waits = live.hash_of(task_id)
    assert (waits["waiting_for"], waits["attempt"]) == ("time", "1")
    assert waits["next_at"] > waits["updated_at"]


def test_the_hash_of_an_ended_order_expires_and_is_counted_no_more(live: LiveStateAtWork) -> None:
    live.follow()
    open_id, closed_id = accepted(live, answered(PARTS_MISSING)), accepted(live, answered(READY))
    live.house.run()
    live.follow()
    assert live.hash_of(closed_id)["state"] == "closed"
    assert live.redis.ttl(live.key_of(closed_id)) > 0
    assert live.redis.ttl(live.key_of(open_id)) == -1
    summary = live.store.summary(9)
    assert dict(summary.counts) == {"orders:waiting_followup": 1}
    assert [state.task_id for state in summary.newest] == [open_id]


def test_an_older_look_never_replaces_a_newer_one(live: LiveStateAtWork) -> None:
    live.follow()
    task_id = accepted(live, answered(PARTS_MISSING))
    older = state_of(live, task_id)
    live.house.run()
    live.follow()
    newer = live.hash_of(task_id)
    feed = live.store.feed()
    assert feed is not None
    live.store.write(feed, [older])
    assert live.hash_of(task_id) == newer
    assert newer["state"] == "waiting_followup"


def test_an_older_look_does_not_open_an_order_again_that_has_ended(live: LiveStateAtWork) -> None:
    live.follow()
    task_id = accepted(live, answered(READY))
    older = state_of(live, task_id)
    live.house.run()
    live.follow()
    feed = live.store.feed()
    assert feed is not None
    live.store.write(feed, [older])
    assert live.hash_of(task_id)["state"] == "closed"
    assert not live.store.summary(9).counts


def test_of_two_looks_with_the_same_event_the_later_holds(live: LiveStateAtWork) -> None:
    live.follow()
    task_id = accepted(live)
    live.follow()
    state, feed = state_of(live, task_id), live.store.feed()
    assert feed is not None
    live.store.write(feed, [replace(state, priority=9, horizon=state.horizon + 1)])
    live.store.write(feed, [state])
    assert live.hash_of(task_id)["priority"] == "9"


def test_what_is_written_under_a_former_epoch_is_refused(live: LiveStateAtWork) -> None:
    live.follow()
    task_id = accepted(live)
    live.follow()
    feed, state = live.store.feed(), state_of(live, task_id)
    assert feed is not None
    live.lose()
    live.store.write(feed, [state])
    live.store.followed_up_to(feed, Cursor(9, 9), sweep=0, complete=True)
    assert live.everything() == ""


def test_a_flushed_redis_gets_its_live_state_back_by_itself(live: LiveStateAtWork) -> None:
    live.follow()
    waiting, closed = accepted(live, answered(PARTS_MISSING)), accepted(live, answered(READY))
    live.house.run()
    live.follow()
    before, counts = live.hash_of(waiting), live.store.summary(9).counts
    live.lose()
    live.follow()
    after = live.hash_of(waiting)
    assert {**after, "horizon": ""} == {**before, "horizon": ""}
    assert live.hash_of(closed) == {}
    assert live.store.summary(9).counts == counts
    assert live.store.summary(9).fresh


def test_a_rebuild_goes_on_where_it_was_broken_off(live: LiveStateAtWork) -> None:
    task_id = accepted(live)
    assert live.follower.round()
    begun = live.store.feed()
    assert begun is not None
    assert (begun.rebuilding, begun.done, begun.total) == (True, 0, 1)
    assert live.follower.round()
    gone_on = live.store.feed()
    assert gone_on is not None
    assert (gone_on.done, gone_on.after_run) == (1, live.house.order(task_id).run_id)
    live.follow()
    assert live.store.summary(9).fresh


def test_what_happens_during_a_rebuild_is_followed_after_it(live: LiveStateAtWork) -> None:
    task_id = accepted(live, answered(READY))
    assert live.follower.round()
    assert live.follower.round()
    live.house.run()
    live.follow()
    assert live.hash_of(task_id)["state"] == "closed"


def test_live_state_of_another_database_is_replaced(live: LiveStateAtWork) -> None:
    task_id = accepted(live)
    live.follow()
    live.redis.hset(f"{PREFIX}feed", "database", "another")
    live.redis.hset(f"{PREFIX}run:exe_of_another", mapping={"run_id": "exe_of_another", "event_id": "999"})
    live.follow()
    assert live.redis.exists(f"{PREFIX}run:exe_of_another") == 0
    assert live.hash_of(task_id)["state"] == "contacting"


def test_a_place_ahead_of_every_event_is_of_a_database_that_went_back(live: LiveStateAtWork) -> None:
    live.follow()
    task_id = accepted(live)
    live.redis.hset(f"{PREFIX}feed", "cursor", f"{2**62}-0")
    live.follow()
    assert live.hash_of(task_id)["state"] == "contacting"


def test_a_change_that_is_no_event_is_seen_by_and_by(live: LiveStateAtWork) -> None:
    live.follow()
    task_id = accepted(live, answered(PARTS_MISSING))
    live.house.run()
    live.follow()
    live.house.forms.steer(live.house.engine, task_id, Verb.PAUSE, by="a test", reason=None)
    live.follow()
    assert live.hash_of(task_id)["status"] == RunState.PAUSED.value


def test_nothing_personal_lies_in_redis(live: LiveStateAtWork) -> None:
    live.follow()
    metadata = {"phone": PHONE, "address": ADDRESS, "customer_name": "王小明"}
    ids = [
        accepted(live, answered(f"{words}，地址{ADDRESS}"), metadata=metadata)
        for words in (WORDS, "你们太差劲了，我要投诉", f"可以上门，电话{PHONE}", "嗯嗯啊这个")
    ]
    live.follow()
    seen = live.everything()
    for _ in range(3):
        live.house.run()
        live.follow()
        seen += live.everything()
        live.house.leap()
    assert all(live.house.order(task_id).run_id in seen for task_id in ids)
    found = [
        each
        for each in (PHONE, PHONE[-4:], ADDRESS, "王小明", "再说", "差劲", "另一个", "嗯嗯")
        if each in seen
    ]
    assert found == []


def test_runs_that_are_no_task_of_their_own_have_no_hash(live: LiveStateAtWork) -> None:
    with live.house.database.transaction() as work:
        work.connection.execute(
            text(
                "INSERT INTO runs (run_id, workflow, version, subject_id, state, open_steps) "
                "VALUES ('exe_1', 'w', '1.0', 'SUB1', 'running', 1), ('exe_2', 'w', '1.0', NULL, 'running', 1)"
            )
        )
    live.follow()
    assert live.redis.exists(f"{PREFIX}run:exe_1") == 0
    assert live.redis.hget(f"{PREFIX}run:exe_2", "task_id") == "exe_2"
    assert dict(live.store.summary(9).counts) == {"general:created": 1}
