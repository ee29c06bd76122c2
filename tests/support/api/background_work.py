"""A house at work beside the API: what is published is done by somebody, as it is in a fleet."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from tests.support.in_process_fleet import InProcessFleet

_BETWEEN = 0.01
_BETWEEN_SWEEPS = 0.1
"""The tick asks PostgreSQL a dozen questions: it is not let loose a hundred times a second."""


@contextmanager
def working_in_background(house: InProcessFleet) -> Iterator[None]:
    """Let one thread play every worker and the tick."""
    stopped = threading.Event()

    def work() -> None:
        swept = 0.0
        while not stopped.wait(_BETWEEN):
            if house.wire.messages or time.monotonic() - swept >= _BETWEEN_SWEEPS:
                house.run()
                swept = time.monotonic()

    thread = threading.Thread(target=work, name="workers of the test")
    thread.start()
    try:
        yield
    finally:
        stopped.set()
        thread.join(180)
    assert not thread.is_alive()
