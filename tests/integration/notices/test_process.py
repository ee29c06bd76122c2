"""The real process: it tells staff, and its log holds no secret."""

import json
import shutil
import signal
from pathlib import Path

import yaml

from runtime.settings import PROJECT
from storage.core.database import Database
from tests.support.fleet.worker_process import worker_process
from tests.support.outbound.notice_sender import NoticeSenderAtWork
from tests.support.outbound.process import beating
from tests.support.probe import Probe
from tests.support.providers import group_bots
from tests.support.providers.group_bots import Wecom
from tests.support.providers.server import Answered, Fault, serving

ROUTES = {"operations": {"provider": "bot"}}


def written(folder: Path, address: str) -> Path:
    """The shipped configuration with one bot, for one role."""
    changed = folder / "config"
    shutil.copytree(PROJECT / "config", changed)
    document = {
        "providers": {"bot": {"kind": "wecom_bot", "base_url": address, "key": "k"}},
        "routes": ROUTES,
    }
    (changed / "notices.yaml").write_text(yaml.safe_dump(document), encoding="utf-8")
    return changed


def declared(bureau: NoticeSenderAtWork) -> bool:
    found = Probe(bureau.database).values("SELECT role FROM notice_roles")
    return list(found) == ["operations"]


def test_it_tells_staff_and_ends_when_it_is_told_to(
    database: Database, database_url: str, broker_url: str, tmp_path: Path
) -> None:
    bureau, group = NoticeSenderAtWork(database), Wecom()
    group.faults.append(Fault(instead=Answered(500, b"")))
    with (
        serving(group) as address,
        beating(database_url, broker_url) as wait,
        worker_process(
            "outbound",
            database_url,
            broker_url,
            tmp_path,
            UNPEND_CONFIG_FOLDER=str(written(tmp_path, address)),
            UNPEND_NOTICE_SECRETS=json.dumps({"k": group_bots.KEY}),
        ) as process,
    ):
        wait(lambda: declared(bureau))
        bureau.alert(role="operations")
        wait(lambda: bureau.log()[0].last_error is not None)
        bureau.change("UPDATE steps SET due_at = clock_timestamp() WHERE state = 'scheduled'")
        wait(lambda: bureau.states() == ["sent"])
        process.send_signal(signal.SIGTERM)
        process.wait(180)
    (notice,) = bureau.log()
    assert group.in_group == [f"[critical] timeout\nm\n任务 HT1\n追踪 {notice.trace_id}"]
    log = (tmp_path / "log").read_text(encoding="utf-8")
    assert "answered 500" in log
    assert group_bots.KEY not in log


def test_a_secret_that_is_missing_stops_it_with_its_message(
    database_url: str, broker_url: str, tmp_path: Path
) -> None:
    folder = written(tmp_path, "http://127.0.0.1:1")
    with worker_process(
        "outbound",
        database_url,
        broker_url,
        tmp_path,
        UNPEND_CONFIG_FOLDER=str(folder),
        UNPEND_NOTICE_SECRETS="",
    ) as process:
        assert process.wait(180) != 0
    assert "providers.bot needs the secret 'k'" in (tmp_path / "log").read_text(encoding="utf-8")
