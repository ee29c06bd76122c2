"""One Celery worker as a process of its own, without the rest of a fleet."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from runtime.settings import PROJECT
from tests.support.in_process_fleet import CIPHER_KEY


@contextmanager
def worker_process(
    name: str, database_url: str, broker_url: str, folder: Path, **further: str
) -> Iterator[subprocess.Popen[bytes]]:
    """`python -m workers NAME`; its log is `folder/log`."""
    environment = {
        **os.environ,
        "UNPEND_DATABASE_URL": database_url,
        "UNPEND_BROKER_URL": broker_url,
        "UNPEND_CIPHER_KEY": CIPHER_KEY,
        "UNPEND_CALLBACK_SECRET": "a secret of the tests",
        "UNPEND_CHANNEL": "instant",
        "UNPEND_WEBHOOK_ALLOWED_NETWORKS": "127.0.0.0/8",
        "UNPEND_CONTACT_POLICY": "always_open",
        "REMAP_SIGTERM": "SIGQUIT",
        **further,
    }
    with (folder / "log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "workers", name],
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
