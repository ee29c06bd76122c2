"""Settings: what is missing or wrong is told by name, and no secret with it."""

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
