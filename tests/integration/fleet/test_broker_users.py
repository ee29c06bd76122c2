"""What each user of the broker may do to it, and what it is refused."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from redis import Redis
from redis.exceptions import NoPermissionError

from fleet.embedded.broker_users import USERS
from fleet.embedded.valkey import EmbeddedValkey
from tests.support.servers import Servers

OF_THE_OPERATOR = (
    ("CONFIG", "GET", "*"),
    ("CONFIG", "SET", "requirepass", "x"),
    ("ACL", "LIST"),
    ("ACL", "SETUSER", "default", "nopass"),
    ("CLIENT", "LIST"),
    ("CLIENT", "KILL", "TYPE", "normal"),
    ("SHUTDOWN", "NOSAVE"),
    ("FLUSHALL",),
    ("FLUSHDB",),
    ("SWAPDB", "0", "1"),
    ("KEYS", "*"),
    ("MODULE", "LIST"),
    ("REPLICAOF", "127.0.0.1", "1"),
    ("SAVE",),
    ("BGREWRITEAOF",),
    ("MONITOR",),
    ("MIGRATE", "127.0.0.1", "1", "task.created", "0", "1"),
    ("FUNCTION", "FLUSH"),
    ("SCRIPT", "FLUSH"),
)

As = Callable[[str], "Redis"]


@pytest.fixture
def reached_as(servers: Servers, broker_url: str) -> Iterator[As]:
    """The emptied broker as one of its users reaches it."""
    with ExitStack() as opened:
        yield lambda user: opened.enter_context(Redis.from_url(servers.broker_url_as(user)))


@pytest.fixture
def operator(operator_url: str) -> Iterator["Redis"]:
    """The emptied broker for who may do everything."""
    with Redis.from_url(operator_url) as client:
        yield client


def refused(client: "Redis", *commands: tuple[str, ...]) -> None:
    for command in commands:
        with pytest.raises(NoPermissionError):
            client.execute_command(*command)  # type: ignore[no-untyped-call] # redis publishes none


@pytest.mark.parametrize("user", USERS)
def test_no_user_but_the_operator_changes_or_empties_the_server(
    reached_as: As, operator: "Redis", user: str
) -> None:
    operator.xadd("task.created", {"payload": "{}"})
    refused(reached_as(user), *OF_THE_OPERATOR)
    assert operator.xlen("task.created") == 1


def test_who_sends_orders_in_adds_to_the_stream_and_does_nothing_else(
    reached_as: As, operator: "Redis"
) -> None:
    producer = reached_as("producer")
    assert producer.xadd("task.created", {"payload": "{}"})
    refused(
        producer,
        ("LPUSH", "contact", "x"),
        ("XADD", "another", "*", "a", "b"),
        ("XRANGE", "task.created", "-", "+"),
        ("DEL", "task.created"),
        ("GET", "anything"),
        ("EVAL", "return 1", "0"),
        ("PUBLISH", "celeryev", "x"),
    )
    assert operator.xlen("task.created") == 1


def test_who_works_sends_takes_and_reads(reached_as: As) -> None:
    fleet = reached_as("fleet")
    fleet.lpush("contact", "x")
    assert fleet.brpop(["contact"], timeout=1) == (b"contact", b"x")
    assert fleet.xadd("task.created", {"payload": "{}"})
    assert fleet.eval("return redis.call('XLEN', KEYS[1])", 1, "task.created") == 1
    assert fleet.info("server")["redis_version"]


def test_who_watches_sees_lengths_and_touches_no_message(reached_as: As, operator: "Redis") -> None:
    flower = reached_as("flower")
    operator.lpush("contact", "a message")
    operator.hset("unacked", "tag", "a message that is worked on")
    assert flower.llen("contact") == 1
    refused(
        flower,
        ("LPUSH", "contact", "x"),
        ("RPUSH", "contact", "x"),
        ("LRANGE", "contact", "0", "-1"),
        ("LINDEX", "contact", "0"),
        ("LPOP", "contact"),
        ("BRPOP", "contact", "1"),
        ("BRPOP", "an.reply.celery.pidbox", "contact", "1"),
        ("LMOVE", "contact", "an.reply.celery.pidbox", "LEFT", "LEFT"),
        ("RENAME", "contact", "an.reply.celery.pidbox"),
        ("DEL", "contact"),
        ("EXPIRE", "contact", "1"),
        ("HGETALL", "unacked"),
        ("HDEL", "unacked", "tag"),
        ("GET", "anything"),
        ("SCAN", "0"),
        ("XADD", "task.created", "*", "payload", "{}"),
        ("XRANGE", "task.created", "-", "+"),
        ("EVAL", "return 1", "0"),
        ("SCRIPT", "LOAD", "return 1"),
        # A queue of its own among those to which messages are sent would be given a copy of each.
        ("SADD", "_kombu.binding.contact", "x"),
        ("PUBLISH", "/0.celeryev/task.sent", "x"),
        ("PSUBSCRIBE", "*"),
        ("SUBSCRIBE", "/0.celery.pidbox"),
    )
    assert (operator.llen("contact"), operator.hlen("unacked")) == (1, 1)


def test_no_user_of_the_broker_is_given_the_word_of_the_operator(tmp_path: Path) -> None:
    valkey = EmbeddedValkey(tmp_path)
    valkey.prepare()
    words = {valkey.operator_url(1)} | {valkey.url_of(user, 1) for user in USERS}
    assert len({url.partition("@")[0].rpartition(":")[2] for url in words}) == 1 + len(USERS)
    valkey.remove()
