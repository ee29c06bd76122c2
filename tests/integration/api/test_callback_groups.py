"""Callbacks that come at the same time are committed together, and answered when they are (SPEC.md §8)."""

import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import httpx2
import pytest
from sqlalchemy import Connection

from tests.integration.api.test_webhooks import PATH, SECRET, callback_body, contacted, headers, task_of
from tests.support.api.client import ApiClient, api_over, register_keys
from tests.support.api.silent_provider import silent_provider
from tests.support.in_process_fleet import InProcessFleet
from tests.support.probe import Probe
from tests.support.waiting import wait_until


@pytest.fixture
def api(database_url: str) -> Iterator[ApiClient]:
    """The API of a house whose contacts wait for callbacks."""
    with silent_provider() as address:
        house = InProcessFleet.build(database_url, channel="http", channel_url=address)
        register_keys(house)
        with api_over(house) as caller:
            yield caller
        house.close()


def at_once(
    api: ApiClient, reports: Sequence[dict[str, Any]], secrets: Sequence[str] = ()
) -> list[httpx2.Response]:
    """The answers to callbacks that are under way at the same time."""
    bodies = [json.dumps(report).encode() for report in reports]
    signed = secrets or [SECRET] * len(bodies)
    return api.at_once(
        [
            api.prepare("POST", PATH, None, content=body, headers=headers(body, secret=secret))
            for body, secret in zip(bodies, signed, strict=True)
        ]
    )


def outcomes(answers: Sequence[httpx2.Response]) -> list[str]:
    return [answer.json()["outcome"] for answer in answers]


def held(connection: Connection, key: str) -> None:
    """Hold the step of this contact in a transaction."""
    connection.exec_driver_sql(
        "SELECT FROM steps WHERE step_id = (SELECT step_id FROM contact_logs WHERE key = %s) FOR UPDATE",
        (key,),
    )


def waiting(probe: Probe) -> list[int]:
    """The processes of PostgreSQL that wait for a lock."""
    return probe.values("SELECT DISTINCT pid FROM pg_locks WHERE NOT granted")


def while_held(api: ApiClient, key: str, meanwhile: Callable[[Probe], None]) -> httpx2.Response:
    """The answer to a callback of this contact; something happens while its transaction waits for the step."""
    probe, body = Probe(api.house.database), json.dumps(callback_body(key)).encode()
    with api.house.database.transaction() as other:
        held(other.connection, key)
        answer = api.portal.start_task_soon(
            lambda: api.client.post(PATH, content=body, headers=headers(body))
        )
        wait_until(lambda: waiting(probe), "the callback's transaction waits for the step")
        assert not answer.done()
        assert probe.values("SELECT key FROM callbacks") == []
        meanwhile(probe)
    return answer.result(180)


def test_callbacks_that_come_at_once_share_their_transactions(api: ApiClient) -> None:
    keys = [contacted(api) for _ in range(12)]
    assert outcomes(at_once(api, [callback_body(key) for key in keys])) == ["applied"] * 12
    groups = Probe(api.house.database).values("SELECT count(*) FROM callbacks GROUP BY xmin::text")
    assert sum(groups) == 12
    assert len(groups) < 6
    api.house.run()
    assert {api.house.order(task_of(api, key)).status for key in keys} == {"closed"}


def test_each_of_a_group_is_answered_as_if_it_had_come_alone(api: ApiClient) -> None:
    good, twice, broken = (contacted(api) for _ in range(3))
    Probe(api.house.database).write(
        "UPDATE runs SET version = 'gone' WHERE subject_id = %s", task_of(api, broken)
    )
    reports = [callback_body(key) for key in ("HT404.1.1", good, broken, twice, twice, good)]
    answers = at_once(api, reports, [*[SECRET] * 5, "a guess"])
    assert outcomes(answers[:3]) == ["unknown_key", "applied", "faulted"]
    assert sorted(outcomes(answers[3:5])) == ["applied", "repeated"]
    assert answers[5].status_code == 401
    api.house.run()
    for key in (good, twice):
        assert api.house.events(task_of(api, key)).count("user.responded") == 1


def test_a_callback_is_answered_when_it_is_committed_and_not_before(api: ApiClient) -> None:
    answer = while_held(api, contacted(api), lambda _: None)
    assert answer.json()["outcome"] == "applied"


def test_what_was_not_committed_is_not_answered_as_kept_and_counts_when_it_is_sent_again(
    api: ApiClient,
) -> None:
    key = contacted(api)

    def killed(probe: Probe) -> None:
        for process in waiting(probe):
            probe.rows("SELECT pg_terminate_backend(%s)", process)

    assert while_held(api, key, killed).status_code == 503
    assert Probe(api.house.database).values("SELECT key FROM callbacks") == []
    assert outcomes(at_once(api, [callback_body(key)])) == ["applied"]
