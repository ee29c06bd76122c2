"""`python -m tests.support.intake.dying queue|stream`: takes messages in, and is killed before it says so.

What is killed here is the process, by the same signal as a machine that runs out of memory would use: after the
commit, and before the message is acknowledged.
"""

import os
import signal
import sys
import threading
from collections.abc import Sequence
from typing import Any

from runtime.settings import Settings
from workers.app import make_app
from workers.intake.queue import QueueIntake
from workers.intake.stream import StreamIntake
from workers.process import Process


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


class DyingQueueIntake(QueueIntake):
    """Dies where it would acknowledge."""

    def _acknowledge(self, connection: Any, messages: Sequence[Any]) -> None:  # noqa: ARG002 - dies before
        _die()


class DyingStreamIntake(StreamIntake):
    """Dies where it would acknowledge."""

    def _finish(self, ids: Sequence[bytes]) -> None:  # noqa: ARG002 - dies before
        _die()


def main(kind: str) -> None:
    """Take messages in until dead."""
    settings = Settings.read()
    process = Process(settings, make_app(settings), name="dying")
    intake = DyingQueueIntake(process) if kind == "queue" else DyingStreamIntake(process)
    intake.run(threading.Event())


if __name__ == "__main__":
    main(sys.argv[1])
