"""Every answer carries the request's id, and so does every log line it leaves."""

import re

import pytest
import structlog
from fastapi import FastAPI
from structlog.testing import capture_logs

from tests.support.api.client import ApiClient, api_over
from tests.support.in_process_fleet import InProcessFleet

MADE = re.compile(r"req_[0-9a-f]{26}")


@pytest.mark.parametrize("given", ["a", "9f1c-4.B_z", "x" * 64])
def test_a_usable_id_is_echoed(api: ApiClient, given: str) -> None:
    assert api.get("/states", headers={"X-Request-ID": given}).headers["x-request-id"] == given


@pytest.mark.parametrize("given", ["", "x" * 65, "two words", "semi;colon", "名字", "line\u0085break"])
def test_an_unusable_id_is_replaced(api: ApiClient, given: str) -> None:
    answer = api.get("/states", headers={"X-Request-ID": given.encode()})
    assert MADE.fullmatch(answer.headers["x-request-id"])


def test_without_an_id_one_is_made_each_time(api: ApiClient) -> None:
    ids = {api.get("/health/live", None).headers["x-request-id"] for _ in range(5)}
    assert len(ids) == 5
    assert all(MADE.fullmatch(made) for made in ids)


def test_an_error_carries_it_in_header_and_body(api: ApiClient) -> None:
    answer = api.get("/nowhere", headers={"X-Request-ID": "lost-1"})
    assert answer.headers["x-request-id"] == answer.json()["request_id"] == "lost-1"


def test_log_lines_carry_it_also_from_worker_threads_and_never_anothers(house: InProcessFleet) -> None:
    log = structlog.get_logger("test")

    def in_a_thread(nth: int) -> None:
        log.info("worked", nth=nth)

    def extend(app: FastAPI) -> None:
        app.add_api_route("/v1/worked/{nth}", in_a_thread)

    with (
        api_over(house, extend) as api,
        capture_logs(processors=[structlog.contextvars.merge_contextvars]) as lines,
    ):
        api.at_once(
            [api.prepare("GET", f"/worked/{n}", None, headers={"X-Request-ID": f"id-{n}"}) for n in range(20)]
        )
    assert {line["request_id"]: line["nth"] for line in lines if line["event"] == "worked"} == {
        f"id-{n}": n for n in range(20)
    }
