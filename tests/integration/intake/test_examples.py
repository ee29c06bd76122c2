"""The examples of docs/publishing.md, each run as printed against real servers (SPEC.md §5)."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from schemas.orders.intake import TaskCreated
from tests.support.api.client import key_of, register_keys
from tests.support.api.live_server import serving
from tests.support.in_process_fleet import InProcessFleet
from tests.support.intake.intake_process import IntakeProcess
from workers.intake.queue import QueueIntake
from workers.intake.stream import StreamIntake

PROJECT = Path(__file__).resolve().parents[3]
EXAMPLES = PROJECT / "docs" / "examples"
PAGE = (PROJECT / "docs" / "publishing.md").read_text(encoding="utf-8")
ORDER = json.loads((EXAMPLES / "order.json").read_text(encoding="utf-8"))


def run(*command: str, **environment: str) -> str:
    """Run an example with the order on its standard input and as its argument; what it printed."""
    with (EXAMPLES / "order.json").open("rb") as order:
        ran = subprocess.run(
            command,
            stdin=order,
            capture_output=True,
            cwd=EXAMPLES,
            env=os.environ | environment,
            timeout=180,
            check=False,
        )
    assert ran.returncode == 0, (ran.stderr + ran.stdout).decode()
    return ran.stdout.decode()


def python(example: str, **environment: str) -> str:
    return run(sys.executable, example, "order.json", **environment)


def needs(program: str, package: str) -> None:
    if shutil.which(program) is None:
        pytest.skip(f"{program} is not installed (Debian: apt-get install {package}); .ci/run installs it")


def test_an_order_published_with_kombu_comes_in(queued: IntakeProcess) -> None:
    python("publish_with_kombu.py", QUEUE_URL=queued.queue_url)
    assert queued.waiting() == 1
    with queued.served_by(QueueIntake(queued.process)):
        queued.wait_for(ORDER)
    assert queued.value("SELECT request_id FROM runs") == f"upstream-{ORDER['task_id']}"


def test_an_order_published_with_redis_py_comes_in(ground: IntakeProcess) -> None:
    python("publish_with_xadd.py", BROKER_URL=ground.queue_url)
    with ground.served_by(StreamIntake(ground.process)):
        ground.wait_for(ORDER)


def test_an_order_published_with_redis_cli_comes_in(ground: IntakeProcess) -> None:
    needs("redis-cli", "redis-tools")
    run("sh", "publish_with_xadd.sh", BROKER_URL=ground.queue_url)
    with ground.served_by(StreamIntake(ground.process)):
        ground.wait_for(ORDER)
    assert ground.rejects() == []


def test_an_order_sent_with_curl_is_answered_and_sending_it_again_changes_nothing(
    house: InProcessFleet,
) -> None:
    needs("curl", "curl")
    register_keys(house)
    with serving(house) as address:
        answers = [
            json.loads(run("sh", "publish_with_curl.sh", API=address, KEY=key_of("orchestrator")))
            for _ in range(2)
        ]
    assert [answer["task_id"] for answer in answers] == [ORDER["task_id"]] * 2
    assert answers[0]["status"] == "contacting"


def test_the_order_of_the_examples_is_valid() -> None:
    assert TaskCreated.model_validate(ORDER).metadata.phone


def test_the_page_names_every_example_and_no_other() -> None:
    named = set(re.findall(r"examples/([\w.]+)", PAGE))
    assert named == {path.name for path in EXAMPLES.iterdir() if path.is_file()}
