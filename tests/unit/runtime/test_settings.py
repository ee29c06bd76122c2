"""Settings: what is missing or wrong is told by name, and no secret with it."""

from typing import Any

import pytest
from pydantic import ValidationError

from runtime.settings import Settings

NEEDED = {
    "UNPEND_DATABASE_URL": "postgresql://unpend:open-sesame@127.0.0.1/unpend",
    "UNPEND_BROKER_URL": "redis://:open-sesame@127.0.0.1/0",
    "UNPEND_CIPHER_KEY": "open-sesame-cipher",
}


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    for name in list(os.environ):
        if name.startswith("UNPEND_"):
            monkeypatch.delenv(name)
    for name, value in NEEDED.items():
        monkeypatch.setenv(name, value)


def test_the_three_needed_settings_are_enough() -> None:
    settings = Settings()
    assert settings.database_url.get_secret_value() == NEEDED["UNPEND_DATABASE_URL"]
    assert settings.lease_seconds == 12.0


@pytest.mark.parametrize("name", NEEDED)
def test_a_missing_setting_is_told_by_name(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(name)
    with pytest.raises(ValidationError) as refusal:
        Settings()
    (fault,) = refusal.value.errors()
    assert fault["loc"] == (name.removeprefix("UNPEND_").lower(),)
    assert fault["msg"] == "Field required"


def test_what_is_told_of_a_missing_setting_shows_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("UNPEND_DATABASE_URL")
    with pytest.raises(ValidationError) as refusal:
        Settings()
    assert "open-sesame" not in str(refusal.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("UNPEND_LEASE_SECONDS", "0.5"),
        ("UNPEND_LARGEST_BATCH", "0"),
        ("UNPEND_LARGEST_BATCH", "1001"),
        ("UNPEND_LOW_WATER", "0"),
        ("UNPEND_MOST_CRASHES", "many"),
        ("UNPEND_CHANNEL", "pigeon"),
        ("UNPEND_LOG_FORMAT", "xml"),
        ("UNPEND_RATE_LIMIT", "a lot"),
    ],
)
def test_a_setting_out_of_its_range_is_told_by_name(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ValidationError) as refusal:
        Settings()
    assert [fault["loc"] for fault in refusal.value.errors()] == [(name.removeprefix("UNPEND_").lower(),)]


def test_settings_can_be_printed_without_showing_a_secret() -> None:
    assert "open-sesame" not in repr(Settings())
    assert "open-sesame" not in str(Settings())


def test_settings_do_not_change_while_a_process_runs() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        Settings().low_water = 5  # type: ignore[misc]


def test_variables_of_others_are_no_concern(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNPEND_API_PORT", "8080")
    monkeypatch.setenv("LOW_WATER", "99")
    assert Settings().low_water == 1


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (
            {"UNPEND_BROKER_URL": "sentinel://:open-sesame@a:1/0"},
            "UNPEND_SENTINEL_MASTER must name the master",
        ),
        (
            {
                "UNPEND_BROKER_URL": "sentinel://:open-sesame@a:1/0;sentinel://b:1/0",
                "UNPEND_SENTINEL_MASTER": "fleet",
            },
            "the same in every address",
        ),
        (
            {"UNPEND_LIMITS_URL": "sentinel://a:1/0;b:1/0", "UNPEND_SENTINEL_MASTER": "fleet"},
            "begins with sentinel://",
        ),
        ({"UNPEND_LIMITS_URL": "amqp://:open-sesame@a//"}, "UNPEND_LIMITS_URL must be a Redis"),
    ],
)
def test_an_address_that_nothing_could_reach_is_told_at_the_start_without_its_password(
    given: dict[str, str], told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ValidationError, match=told) as refusal:
        Settings()
    assert "open-sesame" not in str(refusal.value)


def test_user_password_and_database_before_sentinels_are_the_masters(monkeypatch: pytest.MonkeyPatch) -> None:
    given = "sentinel://fleet:open-sesame@a:1/3;sentinel://fleet:open-sesame@b/3"
    monkeypatch.setenv("UNPEND_BROKER_URL", given)
    monkeypatch.setenv("UNPEND_SENTINEL_MASTER", "fleet")
    address = Settings().redis
    assert address is not None
    reached = address.client(socket_timeout=2).get_connection_kwargs()
    assert (reached["username"], reached["password"], reached["db"]) == ("fleet", "open-sesame", 3)
    pool: Any = address.client().connection_pool
    asked = [one.get_connection_kwargs() for one in pool.sentinel_manager.sentinels]
    assert [(one["host"], one["port"], one.get("password")) for one in asked] == [
        ("a", 1, None),
        ("b", 26379, None),
    ]


@pytest.mark.parametrize(
    ("given", "stream"),
    [
        ({"UNPEND_BROKER_URL": "redis://a/0", "UNPEND_LIMITS_URL": "redis://b/0"}, "redis://a/0"),
        ({"UNPEND_BROKER_URL": "amqp://a//", "UNPEND_LIMITS_URL": "redis://b/0"}, "redis://b/0"),
        ({"UNPEND_BROKER_URL": "amqp://a//", "UNPEND_LIMITS_URL": ""}, None),
    ],
)
def test_the_stream_is_the_brokers_where_it_is_a_redis(
    given: dict[str, str], stream: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    address = Settings().stream_redis
    assert (address and address.url) == stream
