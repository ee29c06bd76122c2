"""The process that takes messages in: the stream and the queue, each in a thread of its own."""

import threading
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from typing import Protocol

from workers.intake.queue import QueueIntake, is_redis
from workers.intake.stream import StreamIntake
from workers.process import Process


class Intake(Protocol):
    """An entry point for messages."""

    def run(self, stopped: threading.Event) -> None:
        """Take messages in until told to stop."""


def take_in(process: Process, stopped: threading.Event) -> None:
    """Run every entry point for messages until stopped; the stream only where the broker is a Redis.

    One that ends by a fault ends the others, and its exception is raised here.
    """
    intakes: list[Intake] = [QueueIntake(process)]
    if is_redis(process.settings.broker_url.get_secret_value()):
        intakes.append(StreamIntake(process))
    with ThreadPoolExecutor(max_workers=len(intakes), thread_name_prefix="intake") as pool:
        running = [pool.submit(intake.run, stopped) for intake in intakes]
        wait(running, return_when=FIRST_COMPLETED)
        stopped.set()
    for ended in running:
        ended.result()
