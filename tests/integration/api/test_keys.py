"""Keys: made, used, rotated, revoked, and what an installation remembers of it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import anyio
import pytest

from api.server.authentication import TOUCH_SECONDS, Keyring
from runtime.api_key import new_key
from schemas.access.scopes import Scope
from storage.access.keys import KeyRecord, Keys, NewKey
from storage.access.system_audit import SystemAudit
from storage.core.database import Database
from tests.support.api.client import ApiClient
from tests.support.probe import Probe
from tests.support.waiting import wait_until

READER = NewKey(agent_id="dispatch-centre", scopes=[Scope.READ.value])


def make(database: Database, new: NewKey = READER) -> tuple[str, KeyRecord]:
    """A key in clear, and what the installation knows of it."""
    key = new_key()
    with database.transaction() as work:
        return key, Keys(work).create(key, new, actor="tester")


def rotate(database: Database, key_id: str, **options: Any) -> tuple[str, KeyRecord, KeyRecord]:
    key = new_key()
    with database.transaction() as work:
        rotated = Keys(work).rotate(key_id, key, actor="tester", **options)
    assert rotated is not None
    return key, *rotated


def revoke(database: Database, key_id: str) -> None:
    with database.transaction() as work:
        Keys(work).revoke(key_id, actor="tester")


def is_let_in(database: Database, key: str) -> bool:
    with database.transaction() as work:
        return Keys(work).find(key) is not None


def kept(database: Database, key_id: str) -> KeyRecord:
    with database.transaction() as work:
        return next(known for known in Keys(work).list() if known.key_id == key_id)


def status_for(api: ApiClient, key: str) -> int:
    return api.get("/states", None, headers={"Authorization": f"Bearer {key}"}).status_code


def test_a_new_key_is_let_in(api: ApiClient) -> None:
    key, _ = make(api.house.database)
    assert status_for(api, key) == 200


def test_a_key_has_256_random_bits_between_a_prefix_scanners_know_and_a_checksum() -> None:
    assert new_key().startswith("unpend_")
    assert len(new_key()) == len("unpend_") + 43 + 8
    assert new_key() != new_key()


def test_nothing_that_is_stored_or_shown_of_a_key_is_the_key(database: Database) -> None:
    key, made = make(database)
    with database.transaction() as work:
        rows = work.connection.exec_driver_sql("SELECT k::text FROM api_keys k").scalars().all()
        told = [str(entry) for entry in SystemAudit(work).recent()]
    assert not [text for text in (*rows, *told, str(made)) if key.removeprefix("unpend_") in text]


@pytest.mark.parametrize("ended", ["expired", "revoked", "rotated", "unknown"])
def test_a_key_that_is_let_in_no_more_is_answered_like_one_nobody_has(api: ApiClient, ended: str) -> None:
    database = api.house.database
    key, made = make(database)
    if ended == "revoked":
        revoke(database, made.key_id)
    elif ended == "rotated":
        rotate(database, made.key_id, overlap=timedelta(0))
    elif ended == "expired":
        past = datetime.now(UTC) - timedelta(seconds=1)
        key, _ = make(database, NewKey(agent_id="x", scopes=["read"], expires_at=past))
    else:
        key = new_key()
    answer = api.get("/states", None, headers={"Authorization": f"Bearer {key}"})
    assert answer.status_code == 401
    assert answer.json()["error"]["message"] == (
        "send Authorization: Bearer KEY with a key of this installation"
    )


def test_a_rotated_key_is_let_in_beside_its_successor_for_the_overlap(database: Database) -> None:
    key, made = make(database)
    successor, old, _ = rotate(database, made.key_id)
    assert is_let_in(database, key)
    assert is_let_in(database, successor)
    assert old.expires_at is not None
    left = old.expires_at - datetime.now(UTC)
    assert timedelta(hours=23, minutes=59) < left <= timedelta(hours=24)


def test_without_an_overlap_a_rotated_key_ends_at_once(database: Database) -> None:
    key, made = make(database)
    successor, _, _ = rotate(database, made.key_id, overlap=timedelta(0))
    assert not is_let_in(database, key)
    assert is_let_in(database, successor)


def test_a_successor_has_the_owner_scopes_and_settings(database: Database) -> None:
    new = NewKey(
        agent_id="dispatch-centre",
        scopes=["read", "tasks"],
        label="night shift",
        default_mode="manual",
        rate_limit="5/second",
    )
    _, made = make(database, new)
    successor, _, _ = rotate(database, made.key_id)
    with database.transaction() as work:
        found = Keys(work).find(successor)
    assert found is not None
    assert (found.agent_id, found.scopes) == ("dispatch-centre", frozenset({"read", "tasks"}))
    assert (found.default_mode, found.rate_limit) == ("manual", "5/second")


def test_the_successor_of_a_key_that_was_to_expire_lives_as_long(database: Database) -> None:
    lifetime = timedelta(days=90)
    _, made = make(database, NewKey(agent_id="x", scopes=["read"], expires_at=datetime.now(UTC) + lifetime))
    Probe(database).write(
        "UPDATE api_keys SET created_at = created_at - interval '80 days', "
        "expires_at = expires_at - interval '80 days'"
    )
    _, _, successor = rotate(database, made.key_id)
    assert successor.expires_at is not None
    assert abs(successor.expires_at - successor.created_at - lifetime) < timedelta(minutes=1)


@pytest.mark.parametrize("ended", ["revoked", "rotated"])
def test_a_key_that_has_ended_has_no_successor(database: Database, ended: str) -> None:
    _, made = make(database)
    if ended == "revoked":
        revoke(database, made.key_id)
    else:
        rotate(database, made.key_id, overlap=timedelta(0))
    with database.transaction() as work:
        assert Keys(work).rotate(made.key_id, new_key(), actor="tester") is None


def test_every_change_of_keys_is_kept_with_who_made_it(database: Database) -> None:
    _, made = make(database)
    _, _, successor = rotate(database, made.key_id)
    revoke(database, successor.key_id)
    revoke(database, successor.key_id)
    with database.transaction() as work:
        entries = SystemAudit(work).recent()
    assert [(entry.what, entry.detail["key_id"]) for entry in reversed(entries)] == [
        ("key.created", made.key_id),
        ("key.rotated", made.key_id),
        ("key.revoked", successor.key_id),
    ]
    assert {entry.actor for entry in entries} == {"tester"}


def test_a_start_brings_the_scopes_of_its_keys_up_to_date(database: Database) -> None:
    with database.transaction() as work:
        Keys(work).register("a-key", "operator", ["read"])
        Keys(work).register("a-key", "operator", ["read", "reviews"])
        found = Keys(work).find("a-key")
    assert found is not None
    assert found.scopes == {"read", "reviews"}


def test_a_start_does_not_bring_a_revoked_key_back(database: Database) -> None:
    with database.transaction() as work:
        Keys(work).register("a-key", "operator", ["read"])
        (known,) = Keys(work).list()
        Keys(work).revoke(known.key_id, actor="tester")
        Keys(work).register("a-key", "operator", ["read", "reviews"])
        assert Keys(work).find("a-key") is None
    assert kept(database, known.key_id).scopes == ["read"]


def test_a_key_shows_when_it_was_last_used(api: ApiClient) -> None:
    key, made = make(api.house.database)
    assert made.last_used_at is None
    status_for(api, key)
    wait_until(lambda: kept(api.house.database, made.key_id).last_used_at is not None)


def test_a_use_is_written_once_a_minute_and_no_more(database: Database) -> None:
    key, made = make(database)
    now = 1000.0
    seen: list[datetime | None] = []

    async def use_over_two_minutes() -> None:
        nonlocal now
        keyring = Keyring(database, clock=lambda: now)
        for moment in (1000.0, 1000.0 + TOUCH_SECONDS - 1, 1000.0 + TOUCH_SECONDS):
            now = moment
            await keyring.owner(key)
            while keyring._touching is not None:
                await anyio.lowlevel.checkpoint()
            seen.append(kept(database, made.key_id).last_used_at)
        await keyring.close()

    anyio.run(use_over_two_minutes)
    first, second, third = seen
    assert first is not None
    assert second == first
    assert third is not None
    assert third > first


def test_a_request_does_not_wait_for_its_use_to_be_written(api: ApiClient) -> None:
    database = api.house.database
    key, made = make(database)
    with database.transaction() as work:
        work.connection.exec_driver_sql("SELECT 1 FROM api_keys WHERE key_id = %s FOR UPDATE", (made.key_id,))
        assert status_for(api, key) == 200
