"""The log of an execution as server-sent events: each line once, in order, to the execution's end."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import text

from api.flows.executions.log_stream import LogReader
from storage.flows.executions import LogPlace
from tests.support.api.client import ApiClient, api_over, register_keys
from tests.support.api.event_stream import PATIENCE, Stream, listening
from tests.support.api.executions import WORKFLOWS, done, see, start
from tests.support.api.live_server import serving
from tests.support.engine.general_runs import ScriptedActions
from tests.support.in_process_fleet import InProcessFleet
from tests.support.waiting import wait_until

STREAM = "text/event-stream"
_BEGINS = text("UPDATE steps SET started_at = clock_timestamp() WHERE run_id = :run_id")
_WRITES = text("INSERT INTO variable_writes (run_id, name, value, node) VALUES (:run_id, 'n', '1', 'w')")


@pytest.fixture
def api(database_url: str, bench: ScriptedActions) -> Iterator[ApiClient]:
    house = InProcessFleet.build(database_url, actions=bench.actions(), workflows=WORKFLOWS)
    register_keys(house)
    with api_over(house) as caller:
        yield caller
    house.close()


@pytest.fixture
def address(api: ApiClient) -> Iterator[str]:
    """The API behind a real socket."""
    with serving(api.house) as served:
        yield served


def ended(stream: Stream) -> list[dict[str, Any]]:
    """What a stream told, once it has ended."""
    wait_until(lambda: stream.ended, seconds=PATIENCE)
    assert all(each.type == each.data["event_type"] for each in stream.told)
    return [each.data for each in stream.told]


def pages(api: ApiClient, execution_id: str) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = see(api, execution_id, "/log", limit=200)["entries"]
    return entries


def test_a_log_is_told_as_it_grows_and_ends_with_the_execution(api: ApiClient, address: str) -> None:
    execution_id = start(api, "counted", parameters={"order": "A1"})
    with listening(address, f"/executions/{execution_id}/log", accept=STREAM) as stream:
        wait_until(lambda: len(stream.told) == 1, seconds=PATIENCE)
        api.house.run()
        wait_until(lambda: len(stream.told) == 4, seconds=PATIENCE)
        done(api, execution_id, "set", variables={"total": 7}, reason="校正")
        done(api, execution_id, "signal", kind="message", name="paid", key="A1")
        api.house.run()
        told = ended(stream)
    assert stream.response.headers["content-type"].startswith(STREAM)
    assert told == pages(api, execution_id)
    assert told[-1]["data"]["execution_id"] == execution_id
    assert {each["event_type"] for each in told} == {
        "task_initialized",
        "state_transition",
        "variable_set",
        "signal",
        "intervention",
    }


def test_one_who_resumes_is_told_what_follows_and_after_the_end_not_to_ask_again(
    api: ApiClient, address: str
) -> None:
    execution_id = start(api, "line")
    api.house.run()
    path = f"/executions/{execution_id}/log"
    with listening(address, path, accept=STREAM) as stream:
        told = ended(stream)
    assert told == pages(api, execution_id)
    with listening(address, path, accept=STREAM, last_event_id=stream.told[2].id) as rest:
        assert ended(rest) == told[3:]
    cursor = see(api, execution_id, "/log", limit=3)["next_cursor"]
    assert cursor == stream.told[2].id
    with listening(address, f"{path}?cursor={cursor}", accept=STREAM) as by_cursor:
        assert ended(by_cursor) == told[3:]
    with listening(address, path, accept=STREAM, last_event_id=stream.last_id) as again:
        assert again.response.status_code == 204


def test_one_who_comes_back_without_a_line_begins_at_the_first(api: ApiClient, address: str) -> None:
    execution_id = start(api, "line")
    path = f"/executions/{execution_id}/log"
    with listening(address, path, accept=STREAM) as stream:
        first = stream.last_id
        wait_until(lambda: bool(stream.told), seconds=PATIENCE)
    with listening(address, path, accept=STREAM, last_event_id=stream.last_id) as going_on:
        # It has not begun, which is no end.
        assert going_on.response.status_code == 200
        api.house.run()
        assert ended(going_on) == pages(api, execution_id)[1:]
    with listening(address, path, accept=STREAM, last_event_id=first) as again:
        assert ended(again) == pages(api, execution_id)


def test_a_line_that_is_seen_late_is_told_before_those_that_are_younger(api: ApiClient) -> None:
    database = api.house.database
    execution_id = start(api, "bell")
    api.house.run()

    async def follow() -> list[str]:
        reader = LogReader(database)
        told: list[str] = []
        place = LogPlace(execution_id, None)

        async def look(times: int) -> None:
            nonlocal place
            for _ in range(times):
                page, _ = await reader.after(place)
                for line in page.lines:
                    told.append(line.event_type)
                    place = LogPlace(execution_id, (line.at, line.place))

        await look(2)
        with database.transaction() as late:
            late.connection.execute(_BEGINS, {"run_id": execution_id})
            with database.transaction() as work:
                work.connection.execute(_WRITES, {"run_id": execution_id})
            await look(5)
            assert told == ["task_initialized"]
        await look(3)
        await reader.close()
        return told

    told = asyncio.run(follow())
    assert told == ["task_initialized", "state_transition", "variable_set"]
    assert told == [entry["event_type"] for entry in pages(api, execution_id)]


def test_the_streams_of_logs_share_the_seats_of_those_of_events(api: ApiClient, address: str) -> None:
    execution_id = start(api, "bell")
    paths = [f"/executions/{execution_id}/log", "/events"] * 20
    with listening(address, paths[0], accept=STREAM) as first:
        held = [listening(address, path, accept=STREAM) for path in paths[1:]]
        for each in held:
            each.__enter__()
        with listening(address, paths[0], accept=STREAM) as refused:
            assert refused.response.status_code == 429
        for each in held:
            each.__exit__(None, None, None)
        assert not first.ended


def test_a_log_of_nothing_is_not_streamed_and_pages_are_as_before(api: ApiClient, address: str) -> None:
    with listening(address, "/executions/none/log", accept=STREAM) as stream:
        assert stream.response.status_code == 404
    execution_id = start(api, "line")
    with listening(
        address, f"/executions/{execution_id}/log", accept=STREAM, last_event_id="never given"
    ) as stream:
        assert stream.response.status_code == 422
    assert len(pages(api, execution_id)) == 1
