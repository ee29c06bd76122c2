"""Health is open to anyone and tells the truth."""

from typing import Any

import pytest
from sqlalchemy import text

from api.server.health import HealthReadings
from storage.engine.pulses import FRESH_SECONDS, Pulses
from tests.support.agents import QUEUES
from tests.support.api.client import VERSION, ApiClient, api_over
from tests.support.factories import payload
from tests.support.in_process_fleet import InProcessFleet
from tests.support.outbound.webhook_sender import WebhookSenderAtWork, event


@pytest.fixture
def api(api: ApiClient) -> ApiClient:
    """The API, which answers nothing from before."""
    readings = api.app.state.services.of(HealthReadings)
    readings.whole._seconds = readings.parts._seconds = 0.0
    return api


START = "/agents/orchestrator/tasks/start"
WELL = {"database": "ok", "broker": "ok", "tick": "ok"}


def let_pass(api: ApiClient, seconds: float) -> None:
    """Let the last sweep be so much longer ago."""
    with api.house.database.transaction() as work:
        work.connection.execute(text("UPDATE pulses SET at = at - make_interval(secs => :s)"), {"s": seconds})


def refused(api: ApiClient) -> dict[str, Any]:
    """The error of a fleet that is not ready."""
    answer = api.get("/health/ready", None)
    assert answer.status_code == 503
    error: dict[str, Any] = answer.json()["error"]
    assert error["code"] == "SERVICE_UNAVAILABLE"
    return error


def written_at(house: InProcessFleet) -> object:
    """When the tick's pulse was last written, and by which transaction its row."""
    with house.database.transaction() as work:
        return tuple(work.connection.execute(text("SELECT at, xmin, xmax FROM pulses")).one())


def test_everything_well_is_ok_without_a_key(api: ApiClient) -> None:
    api.house.tick.sweep()
    assert api.get("/health/ready", None).json() == {"status": "ok", "version": VERSION, "parts": WELL}
    assert api.get("/health/live", None).json() == {"status": "ok"}
    whole = api.get("/health", None).json()
    assert (whole["status"], whole["version"], whole["parts"]) == ("ok", VERSION, WELL)


def test_the_whole_picture_shows_how_much_there_is_to_do(api: ApiClient) -> None:
    api.house.tick.sweep()
    api.post(START, json=payload())
    fleet = api.get("/health", None).json()["fleet"]
    assert 0 <= fleet["tick_seconds"] < 60
    assert fleet["open_steps"] == 1
    assert list(fleet["queues"]) == [*QUEUES, "outside"]
    contact = fleet["queues"]["contact"]
    assert contact["published"] + contact["waiting"] == 1
    assert set(fleet["workers"]) == {*QUEUES, "tick"}
    assert fleet["webhook_seconds"] == 0


def test_a_message_that_is_not_sent_shows(api: ApiClient) -> None:
    office = WebhookSenderAtWork(api.house.database)
    subscriber_id = office.subscribe("http://127.0.0.1:9/")
    office.tell(event("a"))
    office.feed(subscriber_id)
    assert api.get("/health", None).json()["fleet"]["webhook_seconds"] > 0


def test_without_the_broker_it_lives_and_is_not_ready(api: ApiClient) -> None:
    api.house.tick.sweep()
    api.house.wire.cut = True
    whole, live = (api.get(path, None) for path in ("/health", "/health/live"))
    assert (whole.status_code, whole.json()["status"]) == (200, "degraded")
    assert live.status_code == 200
    error = refused(api)
    assert "the broker does not answer" in error["message"]
    assert error["details"] == {"parts": WELL | {"broker": "unavailable"}, "failing": ["broker"]}


def test_before_the_first_sweep_it_is_not_ready(api: ApiClient) -> None:
    assert refused(api)["details"]["failing"] == ["tick"]
    assert api.get("/health", None).json()["fleet"]["tick_seconds"] is None


def test_a_tick_that_stands_still_is_told_until_it_sweeps_again(api: ApiClient) -> None:
    api.house.tick.sweep()
    let_pass(api, FRESH_SECONDS + 1)
    error = refused(api)
    assert "tick" in error["message"]
    assert error["details"] == {"parts": WELL | {"tick": "late"}, "failing": ["tick"]}
    whole = api.get("/health", None).json()
    assert (whole["status"], whole["parts"]["tick"]) == ("degraded", "late")
    assert whole["fleet"]["tick_seconds"] > FRESH_SECONDS
    api.house.tick.sweep()
    assert api.get("/health/ready", None).status_code == 200


def test_a_sweep_leaves_a_pulse_of_the_same_second_untouched(house: InProcessFleet) -> None:
    house.tick.sweep()
    with house.database.transaction() as work:
        work.connection.execute(text("UPDATE pulses SET at = clock_timestamp()"))
        before = work.connection.execute(text("SELECT at, xmin, xmax FROM pulses")).one()
        Pulses(work).beat("tick")
        assert work.connection.execute(text("SELECT at, xmin, xmax FROM pulses")).one() == before


def test_a_pulse_from_the_future_is_corrected_by_the_next_sweep(api: ApiClient) -> None:
    api.house.tick.sweep()
    let_pass(api, -3600)
    before = written_at(api.house)
    api.house.tick.sweep()
    assert written_at(api.house) != before
    let_pass(api, FRESH_SECONDS + 1)
    assert refused(api)["details"]["failing"] == ["tick"]


def test_without_the_database_nothing_is_said_of_the_tick() -> None:
    away = InProcessFleet.build("postgresql+psycopg://nobody:swordfish@127.0.0.1:1/nothing")
    with api_over(away) as api:
        error = refused(api)
        assert error["details"] == {
            "parts": {"database": "unavailable", "broker": "ok", "tick": "unknown"},
            "failing": ["database"],
        }
        whole = api.get("/health", None)
    assert whole.status_code == 200
    assert (whole.json()["status"], whole.json()["fleet"]) == ("degraded", None)
    assert "swordfish" not in whole.text
