"""What `unpend keys` makes, shows and ends, by the API and without it."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from typer.testing import CliRunner

from fleet.command.app import application
from storage.access.keys import Key, Keys
from storage.access.system_audit import SystemAudit
from tests.support.agents import OWNERS
from tests.support.command_line import CommandLine
from tests.support.in_process_fleet import CIPHER_KEY


def create(fleet: CommandLine, *arguments: str) -> dict[str, Any]:
    """What is told of a new key, the key itself with it."""
    made: dict[str, Any] = fleet.read("keys", "create", *arguments)
    return made


def owner(fleet: CommandLine, key: str) -> Key | None:
    with fleet.house.database.transaction() as work:
        return Keys(work).find(key)


def listed(fleet: CommandLine) -> dict[str, Any]:
    return {key["key_id"]: key for key in fleet.read("keys", "list")}


def days_until(moment: str) -> float:
    return (datetime.fromisoformat(moment) - datetime.now(UTC)) / timedelta(days=1)


def test_a_new_key_is_shown_once_with_the_words_that_it_is_not_shown_again(fleet: CommandLine) -> None:
    result = fleet.run("keys", "create", "operator")
    assert result.exit_code == 0, result.stderr
    (key,) = [line.strip() for line in result.stdout.splitlines() if line.strip().startswith("unpend_")]
    assert "is not shown again" in result.stdout
    assert owner(fleet, key) is not None
    assert key not in fleet.run("keys", "list").stdout
    assert key not in fleet.run("keys", "list", "--json").stdout


@pytest.mark.parametrize("agent", OWNERS)
def test_an_agent_of_the_fleet_gets_its_own_scopes(fleet: CommandLine, agent: str) -> None:
    found = owner(fleet, create(fleet, agent)["key"])
    assert found is not None
    assert found.agent_id == agent
    assert found.scopes == OWNERS[agent]


def test_another_owner_names_the_scopes(fleet: CommandLine) -> None:
    refused = fleet.run("keys", "create", "dispatch-centre")
    assert refused.exit_code == 2
    assert "--scope is needed for 'dispatch-centre' (read, tasks," in refused.stderr
    found = owner(fleet, create(fleet, "dispatch-centre", "--scope", "tasks", "--scope", "read")["key"])
    assert found is not None
    assert found.scopes == frozenset({"read", "tasks"})


def test_every_setting_of_a_key_is_kept_and_listed(fleet: CommandLine) -> None:
    made = create(
        fleet, "operator", "--label", "夜班", "--mode", "manual", "--rate", "50/second", "--expires", "90d"
    )
    shown = listed(fleet)[made["key_id"]]
    assert (shown["label"], shown["default_mode"], shown["rate_limit"]) == ("夜班", "manual", "50/second")
    assert 89.9 < days_until(shown["expires_at"]) <= 90
    assert shown["state"] == "active"
    row = fleet.run("keys", "list").stdout
    assert {word for word in ("夜班", "manual", "50/second", "never", "active") if word in row} == {
        "夜班", "manual", "50/second", "never", "active",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("given", "days"),
    [("12h", 0.5), ("30m", 30 / 1440), ("2100-01-31", None), ("2100-01-31T10:00+08:00", None)],
)
def test_an_end_is_a_duration_or_a_date(fleet: CommandLine, given: str, days: float | None) -> None:
    expires_at = create(fleet, "operator", "--expires", given)["expires_at"]
    if days is None:
        moment = datetime.fromisoformat(given)
        assert datetime.fromisoformat(expires_at) == moment.replace(tzinfo=moment.tzinfo or UTC)
    else:
        assert abs(days_until(expires_at) - days) < 0.01


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["a b"], "AGENT must be 1 to 32 letters"),
        (["x" * 33, "--scope", "read"], "AGENT must be 1 to 32 letters"),
        (["operator", "--expires", "soon"], "--expires is not a duration such as 90d"),
        (["operator", "--expires", "2020-01-01"], "--expires lies in the past"),
        (["operator", "--expires", "0d"], "--expires is not a duration"),
        (["operator", "--rate", "fast"], "--rate is not a rate: write requests per second"),
        (["operator", "--rate", "0/second"], "revoke the key instead"),
        (["operator", "--rate", "5/second;" * 20], "--rate is not a rate"),
        (["operator", "--label", "x" * 65], "--label must be 1 to 64 characters"),
        (["operator", "--by", "x" * 33], "--by"),
    ],
)
def test_options_that_do_not_fit_are_told_in_one_line(
    fleet: CommandLine, arguments: list[str], told: str
) -> None:
    result = fleet.run("keys", "create", *arguments)
    assert result.exit_code == 2
    assert told in result.stderr
    assert result.stderr.count("\n") == 1
    assert [key for key in listed(fleet).values() if key["agent_id"] not in OWNERS] == []
    assert len(listed(fleet)) == len(OWNERS)


def test_a_revoked_key_is_let_in_no_more_and_stays_listed(fleet: CommandLine) -> None:
    made = create(fleet, "operator")
    assert fleet.run("keys", "revoke", made["key_id"], "--by", "王芳").exit_code == 0
    assert owner(fleet, made["key"]) is None
    assert listed(fleet)[made["key_id"]]["state"] == "revoked"
    again = fleet.run("keys", "revoke", made["key_id"])
    assert again.exit_code == 0
    assert "was revoked before" in again.stdout


def test_a_rotated_key_has_a_successor_and_a_day_left(fleet: CommandLine) -> None:
    made = create(fleet, "dispatch-centre", "--scope", "tasks", "--rate", "5/second")
    rotated = fleet.read("keys", "rotate", made["key_id"])
    successor = owner(fleet, rotated["new"]["key"])
    assert successor is not None
    assert (successor.agent_id, successor.rate_limit) == ("dispatch-centre", "5/second")
    assert owner(fleet, made["key"]) is not None
    assert 0.99 < days_until(rotated["old"]["expires_at"]) <= 1


def test_an_overlap_of_nothing_ends_the_old_key_at_once(fleet: CommandLine) -> None:
    made = create(fleet, "operator")
    result = fleet.run("keys", "rotate", made["key_id"], "--overlap", "0")
    assert result.exit_code == 0, result.stderr
    assert "which has ended" in result.stdout
    assert owner(fleet, made["key"]) is None


@pytest.mark.parametrize("command", ["revoke", "rotate"])
def test_a_key_that_is_not_there_is_told_so(fleet: CommandLine, command: str) -> None:
    result = fleet.run("keys", command, "key_404")
    assert result.exit_code == 1
    assert "there is no key key_404; `unpend keys list` shows them" in result.stderr


def test_a_key_that_has_ended_cannot_be_rotated(fleet: CommandLine) -> None:
    made = create(fleet, "operator")
    fleet.run("keys", "revoke", made["key_id"])
    result = fleet.run("keys", "rotate", made["key_id"])
    assert result.exit_code == 1
    assert "is revoked; make a new one" in result.stderr


def test_an_overlap_that_is_none_is_told_so(fleet: CommandLine) -> None:
    result = fleet.run("keys", "rotate", create(fleet, "operator")["key_id"], "--overlap", "a while")
    assert result.exit_code == 2
    assert "--overlap is not a duration such as 30m, 24h, 7d, or 0" in result.stderr


@pytest.mark.parametrize(("command", "which"), [("revoke", "revoked"), ("rotate", "old")])
def test_one_learns_that_the_fleets_own_files_still_hold_the_key(
    fleet: CommandLine, command: str, which: str
) -> None:
    path = fleet.data_dir / "secrets.json"
    kept = json.loads(path.read_text())
    path.write_text(json.dumps(kept | {"keys": {"operator": "unpend_installed"}}))
    with fleet.house.database.transaction() as work:
        Keys(work).register("unpend_installed", "operator", ["read"])
        known = max(Keys(work).list(), key=lambda key: key.created_at)
    result = fleet.run("keys", command, known.key_id)
    assert f"still hold the {which} key of operator" in result.stderr


def test_who_did_it_is_kept(fleet: CommandLine) -> None:
    create(fleet, "operator", "--by", "王芳")
    with fleet.house.database.transaction() as work:
        entries = SystemAudit(work).recent(what="key.created")
    assert (entries[0].actor, entries[0].label) == ("admin", "王芳")


def test_keys_are_made_and_ended_while_the_api_is_down(fleet: CommandLine) -> None:
    fleet.take_api_away()
    made = create(fleet, "dispatch-centre", "--scope", "read", "--by", "王芳")
    assert owner(fleet, made["key"]) is not None
    assert fleet.run("keys", "revoke", made["key_id"]).exit_code == 0
    assert owner(fleet, made["key"]) is None


def test_a_key_that_the_api_no_longer_takes_does_not_lock_its_owner_out(fleet: CommandLine) -> None:
    fleet.write_run_file(keys={"admin": "unpend_of_yesterday", "operator": "unpend_of_yesterday"})
    assert owner(fleet, create(fleet, "admin")["key"]) is not None


def test_the_first_key_of_an_installation_needs_the_environment_alone(
    database_url: str, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path_factory.mktemp("nowhere"))
    environment = {
        "UNPEND_DATABASE_URL": database_url,
        "UNPEND_BROKER_URL": "redis://127.0.0.1:1/0",
        "UNPEND_CIPHER_KEY": CIPHER_KEY,
        "UNPEND_CALLBACK_SECRET": "a secret of the tests",
    }
    runner = CliRunner(env=environment)
    assert "there are no keys" in runner.invoke(application, ["keys", "list"]).stdout
    made = runner.invoke(application, ["keys", "create", "admin"])
    assert made.exit_code == 0, made.stderr
    assert "admin" in runner.invoke(application, ["keys", "list"]).stdout
