"""The worker `outbound` as a process of its own, and what beat and tick do for it meanwhile."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from engine.tick import Tick
from runtime.settings import PROJECT
from tests.support.in_process_fleet import CIPHER_KEY, settings_for
from tests.support.waiting import wait_until
from workers.app import make_app
from workers.process import Process


@contextmanager
def outbound_process(
    database_url: str, broker_url: str, folder: Path, **further: str
) -> Iterator[subprocess.Popen[bytes]]:
    """`python -m workers outbound`; its log is `folder/log`."""
    environment = {
        **os.environ,
        "UNPEND_DATABASE_URL": database_url,
        "UNPEND_BROKER_URL": broker_url,
        "UNPEND_CIPHER_KEY": CIPHER_KEY,
        "UNPEND_CALLBACK_SECRET": "a secret of the tests",
        "UNPEND_CHANNEL": "instant",
        "REMAP_SIGTERM": "SIGQUIT",
        **further,
    }
    with (folder / "log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "workers", "outbound"],
            cwd=PROJECT,
            env=environment,
            stdout=log,
            stderr=log,
        )
    try:
        yield process
    finally:
        kill(process)


def kill(process: subprocess.Popen[bytes]) -> None:
    """End the worker and its pool at once."""
    if process.poll() is None:
        pool = psutil.Process(process.pid).children(recursive=True)
        process.kill()
        for child in pool:
            child.kill()
    process.wait(10)


@contextmanager
def beating(database_url: str, broker_url: str) -> Iterator[Callable[[Callable[[], bool]], None]]:
    """What waits until a condition holds while the worker is called to feed and the tick sweeps."""
    settings = settings_for(database_url, broker_url)
    app = make_app(settings)
    process = Process(settings, app, name="test")
    tick = Tick(process.engine, process.publisher)

    def wait(condition: Callable[[], bool]) -> None:
        def held() -> bool:
            if process.publisher.depths(["outbound"])["outbound"] == 0:
                app.send_task("outbound.feed", queue="outbound")
            tick.sweep()
            return condition()

        wait_until(held, seconds=90)

    try:
        yield wait
    finally:
        process.engine.close()
        process.database.close()
