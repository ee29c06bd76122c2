"""A fleet as commands find it: a data folder with run.json, and the servers behind it."""

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from engine.limits import Limits
from tests.support.agents import OWNERS
from tests.support.api.client import key_of, register_keys
from tests.support.command_line import CommandLine
from tests.support.in_process_fleet import CIPHER_KEY, InProcessFleet


@pytest.fixture
def fleet(tmp_path: Path, database_url: str, broker_url: str) -> Iterator[CommandLine]:
    """A data folder whose fleet is this test: its process is the supervisor and the API, its wire is in memory."""
    # What a command publishes while the API is down goes to the real broker, which nobody reads here.
    house = InProcessFleet.build(database_url, limits=Limits(republish_seconds=0.01), broker_url=broker_url)
    fleet = CommandLine(tmp_path, house)
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
    register_keys(house)
    # The API runs in this process: what it logs is no part of what a command prints.
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.__stderr__))
    fleet.write_run_file(keys={owner: key_of(owner) for owner in OWNERS})
    with fleet.served():
        yield fleet
    structlog.reset_defaults()
    house.close()
