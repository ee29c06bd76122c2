"""`unpend live rebuild` writes the live state anew and says so."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from tests.support.command_line import CommandLine
from tests.support.factories import PARTS_MISSING, answered, submission
from tests.support.live_state import LiveStateAtWork


@contextmanager
def following(live: LiveStateAtWork) -> Iterator[None]:
    """The follower at work, as in the worker `outbound`."""
    stopped = threading.Event()

    def follow() -> None:
        while not stopped.wait(0.01):
            live.follower.round()

    thread = threading.Thread(target=follow)
    thread.start()
    try:
        yield
    finally:
        stopped.set()
        thread.join()


def test_a_rebuild_is_waited_for_and_counted(fleet: CommandLine, broker_url: str) -> None:
    live = LiveStateAtWork.over(fleet.house, broker_url)
    (receipt,) = fleet.house.accept(submission(answered(PARTS_MISSING)))
    task_id = str(receipt.task_id)
    live.follow()
    live.redis.delete(live.key_of(task_id))
    with following(live):
        result = fleet.run("live", "rebuild")
        found = fleet.read("live", "rebuild")
    assert (result.exit_code, result.stdout) == (0, "the live state of 1 open tasks is written anew\n")
    assert (found["condition"], found["open"]) == ("current", {"orders": {"contacting": 1}})
    assert live.hash_of(task_id)["state"] == "contacting"
    live.close()


def test_a_redis_that_is_away_is_said_to_be(fleet: CommandLine) -> None:
    with fleet.served(limits_url="redis://127.0.0.1:1/0"):
        result = fleet.run("live", "rebuild")
    assert result.exit_code == 1
    assert "Redis does not answer" in result.stderr
