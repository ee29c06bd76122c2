"""Messages in the broker's lists are repeated, reordered and truncated; and what a worker has taken is repeated too."""

import json
from collections.abc import Iterator

import pytest
import redis

from bench.chaos.faults.messages import Messages

QUEUE = "contact"


@pytest.fixture
def broker(broker_url: str) -> Iterator["redis.Redis"]:
    with redis.Redis.from_url(broker_url, decode_responses=True) as client:
        yield client


@pytest.fixture
def messages(operator_url: str) -> Iterator[Messages]:
    opened = Messages(operator_url, [QUEUE], 1)
    yield opened
    opened.close()


def waiting(broker: "redis.Redis") -> list[str]:
    found: list[str] = broker.lrange(QUEUE, 0, -1)  # type: ignore[assignment]
    return found


def test_a_message_that_waits_is_repeated(broker: "redis.Redis", messages: Messages) -> None:
    broker.lpush(QUEUE, "one")
    assert messages.repeat(1) == 1
    assert waiting(broker) == ["one", "one"]


def test_a_message_that_a_worker_has_taken_is_repeated(broker: "redis.Redis", messages: Messages) -> None:
    broker.hset("unacked", "tag", json.dumps([{"body": "x"}, "", QUEUE]))
    assert messages.repeat(1) == 1
    assert [json.loads(each) for each in waiting(broker)] == [{"body": "x"}]


def test_messages_that_are_reordered_all_come_back(broker: "redis.Redis", messages: Messages) -> None:
    broker.lpush(QUEUE, *(str(number) for number in range(6)))
    before = waiting(broker)
    assert messages.reorder(6) == 6
    assert sorted(waiting(broker)) == sorted(before)
    assert waiting(broker) != before


def test_a_truncated_message_is_half_of_what_it_was(broker: "redis.Redis", messages: Messages) -> None:
    broker.lpush(QUEUE, "0123456789")
    assert messages.truncate(1) == 1
    assert waiting(broker) == ["01234"]


def test_a_flushed_broker_has_forgotten_everything(broker: "redis.Redis", messages: Messages) -> None:
    broker.xadd("task.created", {"payload": "x"})
    assert messages.flush() == 1
    assert broker.dbsize() == 0
