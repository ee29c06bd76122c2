"""A house at work beside the API: what is published is done by somebody, as it is in a fleet."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from tests.house import House

_BETWEEN = 0.01


@contextmanager
def working(house: House) -> Iterator[None]:
    """Let one thread play every worker and the tick."""
    stopped = threading.Event()

    def work() -> None:
        while not stopped.wait(_BETWEEN):
            house.run()

    thread = threading.Thread(target=work, name="workers of the test")
    thread.start()
    try:
        yield
    finally:
        stopped.set()
        thread.join(180)
    assert not thread.is_alive()
