"""People see what happens as it happens, and miss nothing when they come back (SPEC.md §6, §10)."""

import json
import re
import socket
import time
from collections.abc import Iterator
from itertools import pairwise
from typing import Any
from urllib.parse import urlsplit

import httpx2
import pytest

from storage.core.database import Database
from storage.outbound.events import Events
from storage.outbound.feed import Cursor, Feed
from tests.integration.test_feed import happened, tell_as
from tests.support.api.client import ApiClient, key_of, register_keys
from tests.support.api.event_stream import PATIENCE, blocks, listening
from tests.support.api.live_server import serving
from tests.support.factories import PARTS_MISSING, answered, payload, submission
from tests.support.in_process_fleet import InProcessFleet
from tests.support.waiting import wait_until

RUN = "exec_of_the_tests"
FIELDS = {
    "event_id", "event_type", "task_id", "execution_id", "stage", "title", "status", "artifact_ref", "at",
    "interrupt_id", "until", "trace_id", "request_id",
}  # fmt: skip


@pytest.fixture
def address(house: InProcessFleet) -> Iterator[str]:
    """The API behind a real socket."""
    register_keys(house)
    with serving(house) as served:
        yield served


def tell(database: Database, *titles: str) -> None:
    with database.transaction() as work:
        Events(work).append([happened(RUN, title) for title in titles])


def taken_in(house: InProcessFleet, *script: dict[str, object]) -> str:
    """The id of an order that was accepted."""
    given = submission(*script or (answered(),))
    house.accept(given)
    return str(given.body.task_id)


def pages_of(api: ApiClient, path: str, after: str | None = None, limit: int = 2) -> list[dict[str, Any]]:
    """Everything that follows, read page by page."""
    found: list[dict[str, Any]] = []
    while True:
        given = {"format": "json", "limit": limit} | ({"after": after} if after else {})
        page = api.get(path, params=given).json()
        if not page["events"]:
            return found
        found += page["events"]
        after = page["next"]


def test_the_stream_of_a_task_begins_with_its_first_event_and_ends_with_the_task(
    house: InProcessFleet, address: str
) -> None:
    task_id = taken_in(house)
    with listening(address, f"/tasks/{task_id}/events") as stream:
        house.run()
        wait_until(lambda: stream.ended, seconds=PATIENCE)
    assert stream.told[0].type == "task_received"
    assert stream.told[-1].type == "task_closed"
    assert {told.data["task_id"] for told in stream.told} == {task_id}
    assert all(told.data.keys() == FIELDS and told.type == told.data["event_type"] for told in stream.told)
    assert all(one.data["event_id"] < other.data["event_id"] for one, other in pairwise(stream.told))


def test_titles_are_in_the_language_of_who_asks(api: ApiClient) -> None:
    task_id = taken_in(api.house)
    path, given = f"/tasks/{task_id}/events", {"format": "json"}
    chinese = api.get(path, params=given).json()["events"][0]
    english = api.get(path, params=given, headers={"Accept-Language": "en-GB,en;q=0.9"}).json()["events"][0]
    assert (chinese["title"], english["title"]) == ("已接收挂起任务", "Suspended order received")
    assert chinese["event_type"] == english["event_type"]


def test_what_is_told_live_is_what_is_kept(house: InProcessFleet, address: str) -> None:
    task_id = taken_in(house)
    with listening(address, f"/tasks/{task_id}/events") as live:
        house.run()
        wait_until(lambda: live.ended, seconds=PATIENCE)
    with listening(address, f"/tasks/{task_id}/events") as kept:
        wait_until(lambda: kept.ended, seconds=PATIENCE)
    assert kept.told == live.told


def test_a_task_that_has_not_ended_is_listened_to_until_it_has(house: InProcessFleet, address: str) -> None:
    task_id = taken_in(house, answered(PARTS_MISSING), answered())
    house.run()
    assert house.order(task_id).status == "waiting_followup"
    with listening(address, f"/tasks/{task_id}/events") as stream:
        so_far = len(stream.titles(4))
        house.run_to_the_end()
        wait_until(lambda: stream.ended, seconds=PATIENCE)
    assert house.order(task_id).status == "closed"
    assert len(stream.told) > so_far


def test_one_task_is_not_told_of_another(house: InProcessFleet, address: str) -> None:
    task_id, other = taken_in(house), taken_in(house)
    house.run()
    with listening(address, f"/tasks/{task_id}/events") as stream:
        wait_until(lambda: stream.ended, seconds=PATIENCE)
    assert other not in {told.data["task_id"] for told in stream.told}


def test_one_who_resumes_after_the_end_is_told_not_to_ask_again(house: InProcessFleet, address: str) -> None:
    task_id = taken_in(house)
    house.run()
    with listening(address, f"/tasks/{task_id}/events") as stream:
        wait_until(lambda: stream.ended, seconds=PATIENCE)
    with listening(address, f"/tasks/{task_id}/events", last_event_id=stream.last_id) as again:
        assert again.response.status_code == 204
    with listening(address, f"/tasks/{task_id}/events", last_event_id=stream.told[0].id) as rest:
        wait_until(lambda: rest.ended, seconds=PATIENCE)
    assert rest.told == stream.told[1:]


def test_everything_is_told_from_now_on(house: InProcessFleet, address: str) -> None:
    tell(house.database, "before")
    with listening(address, "/events") as stream:
        tell(house.database, "after")
        assert stream.titles(1) == ["after"]


def test_one_who_comes_back_misses_nothing_though_there_was_no_event_before(
    house: InProcessFleet, address: str
) -> None:
    with listening(address, "/events") as stream:
        pass
    assert stream.told == []
    tell(house.database, "meanwhile")
    with listening(address, "/events", last_event_id=stream.last_id) as again:
        assert again.titles(1) == ["meanwhile"]


def test_an_event_that_commits_late_is_not_missed_by_one_who_resumes_from_a_later_one(
    house: InProcessFleet, address: str
) -> None:
    with listening(address, "/events") as stream:
        with house.database.transaction() as late:
            Events(late).append([happened(RUN, "began first, commits last")])
            tell(house.database, "began last, commits first")
            tell(house.database, "a third")
            with house.database.transaction() as work:
                assert Feed(work).page(Cursor.parse(stream.last_id), limit=10).events == []
            assert stream.told == []
        assert stream.titles(3) == ["began first, commits last", "began last, commits first", "a third"]
    with listening(address, "/events", last_event_id=stream.told[0].id) as again:
        assert again.titles(2) == ["began last, commits first", "a third"]


def test_of_many_short_visits_together_every_event_is_told_once(house: InProcessFleet, address: str) -> None:
    with listening(address, "/events") as stream:
        last = stream.last_id
    told: list[str] = []
    for number in range(8):
        tell(house.database, f"{number}a", f"{number}b")
        with listening(address, "/events", last_event_id=last) as stream:
            tell(house.database, f"{number}c")
            stream.titles(2)
        told += [one.data["title"] for one in stream.told]
        last = stream.last_id
    with listening(address, "/events", last_event_id=last) as stream:
        tell(house.database, "end")
        wait_until(lambda: bool(stream.told) and stream.told[-1].data["title"] == "end", seconds=PATIENCE)
    told += [one.data["title"] for one in stream.told]
    assert told == [f"{number}{letter}" for number in range(8) for letter in "abc"] + ["end"]


def test_one_who_does_not_read_is_cut_off_and_resumes_without_a_gap(
    house: InProcessFleet, address: str
) -> None:
    many, long = 9_000, "很长" * 120
    titles = [f"{number} {long}" for number in range(many)]
    served = urlsplit(address)
    with socket.socket() as slow:
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        slow.settimeout(PATIENCE)
        asked_at = time.perf_counter()
        slow.connect((served.hostname, served.port))
        slow.sendall(
            f"GET /v1/events HTTP/1.1\r\nHost: api\r\nAuthorization: Bearer {key_of('admin')}\r\n\r\n".encode()
        )
        received = slow.recv(100)
        begun_after = time.perf_counter() - asked_at
        tell(house.database, *titles)
        wait_until(lambda: figure_of(address, "count") == 1, seconds=PATIENCE)
        # How long it lasted is not what is measured.
        assert figure_of(address, "sum") <= begun_after
        while chunk := slow.recv(1 << 20):
            received += chunk
    told = list(complete(received))
    assert 0 < len(told) < many
    with listening(address, "/events", last_event_id=told[-1]["id"]) as rest:
        wait_until(lambda: len(told) + len(rest.told) >= many, seconds=PATIENCE)
    assert [json.loads(one["data"])["title"] for one in told] + rest.titles(0) == titles


def figure_of(address: str, part: str) -> float:
    """The count or the sum of the streams that have ended, by the API's own figures."""
    figures = httpx2.get(f"{address}/metrics", trust_env=False).text
    found = re.search(
        rf'duration_{part}\{{method="GET",route="[a-z0-9/]*/events",status="200"\}} (\S+)', figures
    )
    return float(found[1]) if found else 0.0


def complete(received: bytes) -> Iterator[dict[str, str]]:
    """The events that came whole, out of a chunked answer."""
    _, _, body = received.partition(b"\r\n\r\n")
    text = b""
    while body:
        size, _, body = body.partition(b"\r\n")
        if not size:
            break
        text += body[: int(size, 16)]
        body = body[int(size, 16) + 2 :]
    whole = text.rpartition(b"\n\n")[0].decode() + "\n\n"
    yield from (block for block in blocks(whole.split("\n")) if "data" in block)


def test_a_server_that_stops_lets_its_listeners_go_at_once(house: InProcessFleet) -> None:
    register_keys(house)
    with serving(house) as served:
        stream_of = listening(served, "/events")
        stream = stream_of.__enter__()
        began = time.monotonic()
    wait_until(lambda: stream.ended)
    assert time.monotonic() - began < 5
    stream_of.__exit__(None, None, None)


@pytest.mark.parametrize(
    "asked", [{"params": {"format": "json"}}, {"headers": {"Accept": "application/json"}}]
)
def test_one_who_asks_for_json_is_given_a_page(api: ApiClient, asked: dict[str, Any]) -> None:
    task_id = payload()["task_id"]
    api.post("/agents/orchestrator/tasks/start", json=payload(task_id=task_id))
    answer = api.get(f"/tasks/{task_id}/events", "operator", **asked)
    assert answer.headers["content-type"] == "application/json"
    (first, *_) = answer.json()["events"]
    assert first.keys() == FIELDS | {"id"}
    assert first["event_type"] == "task_received"
    assert set(answer.json()) == {"events", "next"}


def test_pages_together_are_everything_exactly_once(api: ApiClient) -> None:
    start = api.get("/events", params={"format": "json"}).json()
    assert start["events"] == []
    tell(api.house.database, *"abcde")
    found = pages_of(api, "/events", start["next"])
    assert [event["title"] for event in found] == list("abcde")
    assert pages_of(api, "/events", found[1]["id"]) == found[2:]


def test_pages_of_any_size_are_in_order_where_transactions_gain_a_digit(api: ApiClient) -> None:
    titles = [str(number) for number in range(95, 106)]
    for number in titles:
        tell_as(api.house.database, int(number), number)
    for limit in range(1, len(titles) + 1):
        told = [event["title"] for event in pages_of(api, "/events", "0-0", limit)]
        assert told == titles, f"in pages of {limit}"


def test_a_stream_is_in_order_where_transactions_gain_a_digit(house: InProcessFleet, address: str) -> None:
    titles = [str(number) for number in range(95, 106)]
    for number in titles:
        tell_as(house.database, int(number), number)
    with listening(address, "/events", last_event_id="0-0") as stream:
        tell(house.database, "live")
        assert stream.titles(len(titles) + 1) == [*titles, "live"]
    with listening(address, "/events", last_event_id=stream.told[4].id) as again:
        assert again.titles(len(titles) - 4) == [*titles[5:], "live"]


@pytest.mark.parametrize(
    "after",
    ["x", "1", "1-", "-1-1", "1-1-1", "9" * 19 + "-0", "1-" + "9" * 20, "9000000000-1", "１-１", "1\x00-1"],
)
@pytest.mark.parametrize("wanted", ["json", "stream"])
def test_an_id_that_was_never_given_out_is_refused(api: ApiClient, after: str, wanted: str) -> None:
    answer = api.get("/events", params={"after": after, "format": wanted})
    assert answer.status_code == 422
    assert answer.json()["error"]["details"]["fields"][0]["field"] == "after"


def test_an_unknown_task_has_no_events(api: ApiClient) -> None:
    assert api.get("/tasks/HT404/events").status_code == 404


def test_nobody_listens_without_a_key(api: ApiClient) -> None:
    assert api.get("/events", None).status_code == 401
