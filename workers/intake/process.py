"""The process that takes messages in: the stream and the queue, each in a thread of its own."""

import threading
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from typing import Protocol

from runtime.logs import logger
from runtime.redis_address import NO_REDIS
from workers.intake.queue import QueueIntake
from workers.intake.stream import STREAM, StreamIntake
from workers.process import Process

_log = logger(__name__)


class Intake(Protocol):
    """An entry point for messages."""

    def run(self, stopped: threading.Event) -> None:
        """Take messages in until told to stop."""


def take_in(process: Process, stopped: threading.Event) -> None:
    """Run every entry point for messages until stopped; the stream only where there is a Redis.

    One that ends by a fault ends the others, and its exception is raised here.
    """
    intakes: list[Intake] = [QueueIntake(process)]
    if process.settings.stream_redis is not None:
        intakes.append(StreamIntake(process))
    else:
        _log.warning("the stream is not read; orders come in by the queue", stream=STREAM, reason=NO_REDIS)
    with ThreadPoolExecutor(max_workers=len(intakes), thread_name_prefix="intake") as pool:
        running = [pool.submit(intake.run, stopped) for intake in intakes]
        wait(running, return_when=FIRST_COMPLETED)
        stopped.set()
    for ended in running:
        ended.result()
