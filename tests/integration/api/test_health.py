"""Health is open to anyone and tells the truth."""

from tests.integration.api.caller import VERSION, Caller


def test_everything_well_is_ok_without_a_key(api: Caller) -> None:
    expected = {"status": "ok", "version": VERSION, "parts": {"database": "ok", "broker": "ok"}}
    assert api.get("/health", None).json() == expected
    assert api.get("/health/ready", None).json() == expected
    assert api.get("/health/live", None).json() == {"status": "ok"}


def test_without_the_broker_it_lives_and_is_not_ready(api: Caller) -> None:
    api.house.wire.cut = True
    whole, live, ready = (api.get(path, None) for path in ("/health", "/health/live", "/health/ready"))
    assert (whole.status_code, whole.json()["status"]) == (200, "degraded")
    assert live.status_code == 200
    assert ready.status_code == 503
    error = ready.json()["error"]
    assert error["code"] == "SERVICE_UNAVAILABLE"
    assert error["details"] == {"parts": {"database": "ok", "broker": "unavailable"}}
