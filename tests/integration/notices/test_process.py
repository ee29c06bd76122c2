"""The real process: it tells staff beside its webhooks, and its log holds no secret."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import yaml

from runtime.settings import PROJECT
from storage.core.database import Database
from tests.house import CIPHER_KEY
from tests.integration.fleet.conditions import wait_until
from tests.integration.notices.bureau import Bureau
from tests.probe import Probe
from tests.providers import group_bots
from tests.providers.group_bots import Wecom
from tests.providers.server import Answered, Fault, serving

ROUTES = {"operations": {"provider": "bot"}}


def written(folder: Path, address: str) -> Path:
    """A configuration with one bot, for one role."""
    document = {
        "providers": {"bot": {"kind": "wecom_bot", "base_url": address, "key": "k"}},
        "routes": ROUTES,
    }
    (folder / "notices.yaml").write_text(yaml.safe_dump(document), encoding="utf-8")
    return folder


@contextmanager
def webhooks(database_url: str, folder: Path, secrets: str) -> Iterator[subprocess.Popen[bytes]]:
    """`python -m workers webhooks` with this configuration."""
    environment = {
        **os.environ,
        "UNPEND_DATABASE_URL": database_url,
        "UNPEND_BROKER_URL": "redis://127.0.0.1:1/0",
        "UNPEND_CIPHER_KEY": CIPHER_KEY,
        "UNPEND_CALLBACK_SECRET": "a secret of the tests",
        "UNPEND_CONFIG_FOLDER": str(folder),
        "UNPEND_NOTICE_SECRETS": secrets,
    }
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "workers", "webhooks"],
            cwd=PROJECT,
            env=environment,
            stdout=log,
            stderr=log,
        )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.wait(180)


def declared(bureau: Bureau) -> bool:
    found = Probe(bureau.database).values("SELECT role FROM notice_roles")
    return list(found) == ["operations"]


def test_it_tells_staff_and_ends_when_it_is_told_to(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    bureau, group = Bureau(database), Wecom()
    group.faults.append(Fault(instead=Answered(500, b"")))
    with (
        serving(group) as address,
        webhooks(database_url, written(tmp_path, address), json.dumps({"k": group_bots.KEY})) as process,
    ):
        wait_until(lambda: declared(bureau), seconds=180)
        bureau.alert(role="operations")
        wait_until(lambda: bureau.log()[0].last_error is not None)
        bureau.change("UPDATE notices SET due_at = clock_timestamp()")
        wait_until(lambda: bureau.states() == ["sent"])
        process.send_signal(signal.SIGTERM)
        assert process.wait(180) == 0
    assert group.in_group == ["[critical] timeout\nm\n任务 HT1"]
    log = (tmp_path / "log").read_text(encoding="utf-8")
    assert "answered 500" in log
    assert group_bots.KEY not in log


def test_a_secret_that_is_missing_stops_it_with_its_message(database_url: str, tmp_path: Path) -> None:
    folder = written(tmp_path, "http://127.0.0.1:1")
    with webhooks(database_url, folder, "") as process:
        assert process.wait(180) != 0
    assert "providers.bot needs the secret 'k'" in (tmp_path / "log").read_text(encoding="utf-8")
