"""What a process writes to its log, in both styles: lines of a process of its own, so that nothing leaks here."""

import json
import subprocess
import sys
from datetime import datetime
from typing import Any

import pytest

PHONE = "13800138000"
PROGRAM = """
import logging, sys
import structlog
from runtime import logs

logs.configure(service="unpend-test", level="INFO", style=sys.argv[1])
log = logs.logger("engine.claim")
log.info("claimed", task_id="HT1", step_id=7, run_id="exec_1", request_id="req_1", queue="contact", rows=3)
log.debug("too small to be told")
with structlog.contextvars.bound_contextvars(task_id="HT2", request_id="req_2"):
    logs.logger("tools").warning("calling 13800138000")
    logging.getLogger("some.library").warning("a library's line about %s", "13800138000")
log.info("extra", phone="13800138000", number=13800138000, nested={"to": ["13800138000"], "13800138000": 1})
log.info("objects", error=ValueError("13800138000"), key=b"13800138000", several={"13800138000"})
log.info("numbers", count=5, share=0.5, flag=True, nothing=None, nested={"count": 5})
log.info("address", url="postgresql://unpend:s3cret@db/unpend", header="Bearer s3cret")
try:
    try:
        raise KeyError("13800138000")
    except KeyError as error:
        raise ValueError("no answer from 13800138000 at redis://:s3cret@h/0") from error
except ValueError:
    log.exception("ours failed")
    logging.getLogger("some.library").exception("theirs failed")
log.info("two\\nlines", text="a\\nb")
logging.getLogger("kombu").info("a message was sent")
log.info("done")
"""


def lines_of(style: str) -> list[str]:
    ran = subprocess.run(
        [sys.executable, "-W", "error", "-c", PROGRAM, style],
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    assert ran.stderr == ""
    return ran.stdout.splitlines()


@pytest.fixture(scope="module")
def lines() -> list[str]:
    return lines_of("json")


@pytest.fixture(scope="module")
def events(lines: list[str]) -> dict[str, dict[str, Any]]:
    return {event["message"]: event for event in map(json.loads, lines)}


def test_every_event_is_one_line_of_json(lines: list[str], events: dict[str, dict[str, Any]]) -> None:
    assert len(lines) == len(events) == 11
    assert events["two\nlines"]["text"] == "a\nb"


def test_an_event_has_the_fields_of_ecs(events: dict[str, dict[str, Any]]) -> None:
    event = events["claimed"]
    assert event["service.name"] == "unpend-test"
    assert event["log.level"] == "info"
    assert event["log.logger"] == "engine.claim"
    assert event["ecs.version"]
    moment = datetime.fromisoformat(event["@timestamp"])
    assert moment.utcoffset() is not None
    assert not {"event", "level", "logger", "timestamp"} & event.keys()


def test_an_event_says_to_which_request_task_and_step_it_belongs(events: dict[str, dict[str, Any]]) -> None:
    event = events["claimed"]
    assert event["http.request.id"] == "req_1"
    assert (event["labels.task_id"], event["labels.step_id"], event["labels.run_id"]) == ("HT1", 7, "exec_1")
    assert event["labels.queue"] == "contact"
    assert event["rows"] == 3


@pytest.mark.parametrize("message", ["calling 138****8000", "a library's line about 138****8000"])
def test_what_was_bound_above_is_on_every_line_the_libraries_included(
    message: str, events: dict[str, dict[str, Any]]
) -> None:
    assert events[message]["labels.task_id"] == "HT2"
    assert events[message]["http.request.id"] == "req_2"


def test_what_was_bound_is_gone_after_its_block(events: dict[str, dict[str, Any]]) -> None:
    assert "labels.task_id" not in events["extra"]


def test_no_line_holds_a_phone_number_or_a_secret(lines: list[str]) -> None:
    assert not [line for line in lines if PHONE in line or "s3cret" in line]


def test_a_number_is_masked_wherever_it_lies_and_whatever_it_is(events: dict[str, dict[str, Any]]) -> None:
    masked = "138****8000"
    extra, objects = events["extra"], events["objects"]
    assert (extra["phone"], extra["number"]) == (masked, masked)
    assert extra["nested"] == {"to": [masked], masked: 1}
    assert objects["error"] == f"ValueError('{masked}')"
    assert objects["several"] == [masked]


def test_what_is_no_phone_number_keeps_its_type(events: dict[str, dict[str, Any]]) -> None:
    event = events["numbers"]
    assert (event["count"], event["share"], event["flag"], event["nothing"]) == (5, 0.5, True, None)
    assert event["nested"] == {"count": 5}


@pytest.mark.parametrize("message", ["ours failed", "theirs failed"])
def test_an_exception_is_told_with_its_cause_and_without_the_number_in_it(
    message: str, events: dict[str, dict[str, Any]]
) -> None:
    trace = events[message]["error.stack_trace"]
    assert "ValueError: no answer from 138****8000 at redis://:****@h/0" in trace
    assert "KeyError: '138****8000'" in trace
    assert "Traceback" in trace


def test_lines_below_the_level_and_the_libraries_chatter_are_not_told(
    events: dict[str, dict[str, Any]],
) -> None:
    assert not {"too small to be told", "a message was sent"} & events.keys()


def test_the_console_tells_the_same_and_masks_the_same() -> None:
    text = "\n".join(lines_of("console"))
    assert "claimed" in text
    assert "no answer from 138****8000" in text
    assert PHONE not in text
    assert "s3cret" not in text
