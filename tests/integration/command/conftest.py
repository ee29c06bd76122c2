"""A fleet as commands find it: a data folder with run.json, and the servers behind it."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.limits import Limits
from tests.house import CIPHER_KEY, House
from tests.integration.command.fleet import Fleet


@pytest.fixture
def fleet(tmp_path: Path, database_url: str, broker_url: str) -> Iterator[Fleet]:
    """A data folder whose fleet is this test: its process is the supervisor, its wire is in memory."""
    # What a command publishes goes to the real broker, which nobody reads here: the tick finds it at once.
    house = House.build(database_url, limits=Limits(republish_seconds=0.01))
    fleet = Fleet(tmp_path, house)
    (tmp_path / "secrets.json").write_text(
        json.dumps(
            {
                "cipher_key": CIPHER_KEY,
                "callback_secret": "a secret of the tests",
                "channel_token": "another",
                "flower_password": "a third",
                "keys": {},
            }
        )
    )
    fleet.write_run_file(
        supervisor=os.getpid(),
        database_url=database_url,
        broker_url=broker_url,
        processes=[{"name": "worker-contact", "pid": os.getpid(), "state": "running", "restarts": 0}],
    )
    yield fleet
    house.close()
