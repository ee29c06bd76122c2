"""`Idempotency-Key`: what is sent again is answered again and not done again (SPEC.md §6)."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import httpx2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.access.scopes import Scope
from storage.access.keys import Keys
from tests.support.api.client import ApiClient, api_over, key_of, register_keys
from tests.support.api.counting_routes import CountingRoutes
from tests.support.factories import payload
from tests.support.in_process_fleet import InProcessFleet
from tests.support.probe import Probe
from tests.support.servers import Servers
from tests.support.waiting import wait_until

START = "/agents/orchestrator/tasks/start"


_DOER: Final = CountingRoutes()


@pytest.fixture
def doer() -> CountingRoutes:
    _DOER.forget()
    return _DOER


@pytest.fixture
def api(house: InProcessFleet, doer: CountingRoutes) -> Iterator[ApiClient]:
    register_keys(house)
    with api_over(house, doer.routes) as caller:
        yield caller


def do(
    api: ApiClient, key: str = "k-1", name: str = "it", outcome: str = "done", agent: str = "admin"
) -> httpx2.Response:
    body = {"name": name, "outcome": outcome}
    return api.post("/deeds", agent, json=body, headers={"Idempotency-Key": key})


def make_older(api: ApiClient, interval: str) -> None:
    Probe(api.house.database).write(
        f"UPDATE idempotency_keys SET created_at = created_at - interval '{interval}'"
    )


def kept_keys(api: ApiClient) -> list[str]:
    found = Probe(api.house.database).values("SELECT key FROM idempotency_keys ORDER BY key")
    return list(found)


def test_a_repeated_request_is_answered_alike_and_not_done_again(
    api: ApiClient, doer: CountingRoutes
) -> None:
    first, again = do(api), do(api)
    assert first.status_code == again.status_code == 200
    assert first.json() == again.json() == {"name": "it", "number": 1}
    assert again.headers["content-type"] == first.headers["content-type"]
    assert doer.done == ["it"]


def test_only_what_is_repeated_says_so(api: ApiClient) -> None:
    first, again = do(api), do(api)
    assert "idempotent-replayed" not in first.headers
    assert again.headers["idempotent-replayed"] == "true"


def test_without_the_header_every_request_is_done(api: ApiClient, doer: CountingRoutes) -> None:
    for _ in range(2):
        api.post("/deeds", json={"name": "it"})
    assert doer.done == ["it", "it"]


def test_a_request_without_a_body_can_be_repeated(api: ApiClient, doer: CountingRoutes) -> None:
    answers = [api.post("/bare", headers={"Idempotency-Key": "k"}).json() for _ in range(2)]
    assert answers[0] == answers[1]
    assert doer.done == ["bare"]


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
def test_every_write_that_is_repeated_is_answered_alike(
    api: ApiClient, doer: CountingRoutes, method: str
) -> None:
    first, again = (
        api.call(method, "/deeds/it", headers={"Idempotency-Key": "k"}, json={}) for _ in range(2)
    )
    assert first.status_code == again.status_code == 200
    assert first.json() == again.json()
    assert doer.done == ["it"]


def test_another_method_under_the_same_key_is_another_request(api: ApiClient) -> None:
    api.call("PUT", "/deeds/it", headers={"Idempotency-Key": "k"})
    assert api.call("DELETE", "/deeds/it", headers={"Idempotency-Key": "k"}).status_code == 409


def test_what_is_only_read_takes_no_notice_of_a_key(api: ApiClient) -> None:
    api.get("/deeds/it", headers={"Idempotency-Key": "k"})
    assert kept_keys(api) == []


def test_a_repeated_answer_says_where_as_the_first_did(api: ApiClient) -> None:
    first, again = (api.call("PUT", "/deeds/it", headers={"Idempotency-Key": "k"}) for _ in range(2))
    assert again.headers["location"] == first.headers["location"] == "/v1/deeds/it"
    assert again.headers["cache-control"] == "no-store"
    assert "retry-after" not in again.headers


def test_the_same_request_may_be_written_otherwise(api: ApiClient, doer: CountingRoutes) -> None:
    headers = {"Idempotency-Key": "k", "Content-Type": "application/json"}
    api.post("/deeds", content='{"name": "配件", "outcome": "done"}'.encode(), headers=headers)
    again = api.post("/deeds", content=b'{"outcome":"done","name":"\\u914d\\u4ef6"}', headers=headers)
    assert again.headers["idempotent-replayed"] == "true"
    assert doer.done == ["配件"]


def test_another_request_under_the_same_key_is_a_conflict_and_is_not_done(
    api: ApiClient, doer: CountingRoutes
) -> None:
    do(api, name="it")
    others = [
        do(api, name="something else"),
        api.post("/bare", headers={"Idempotency-Key": "k-1"}),
        api.post("/deeds?x=1", json={"name": "it", "outcome": "done"}, headers={"Idempotency-Key": "k-1"}),
    ]
    for answer in others:
        assert answer.status_code == 409
        assert answer.json()["error"]["code"] == "STATE_CONFLICT"
        assert answer.json()["error"]["details"] == {"header": "Idempotency-Key", "reason": "another_request"}
    assert doer.done == ["it"]


def test_every_agent_has_its_own_keys(api: ApiClient, doer: CountingRoutes) -> None:
    do(api, agent="admin")
    do(api, agent="orchestrator")
    assert doer.done == ["it", "it"]


def test_while_the_first_is_under_way_its_repetition_is_told_to_come_back(
    api: ApiClient, doer: CountingRoutes
) -> None:
    with ThreadPoolExecutor(1) as beside:
        first = beside.submit(do, api, outcome="wait")
        wait_until(doer.begun.is_set)
        meanwhile = do(api, outcome="wait")
        doer.may_end.set()
        answer = first.result(180)
    assert meanwhile.status_code == 409
    assert meanwhile.headers["retry-after"] == "1"
    assert meanwhile.json()["error"]["details"]["reason"] == "under_way"
    assert do(api, outcome="wait").json() == answer.json()
    assert doer.done == ["it"]


def test_many_at_once_are_done_once(api: ApiClient, doer: CountingRoutes) -> None:
    body = {"name": "it"}
    calls = [api.prepare("POST", "/deeds", json=body, headers={"Idempotency-Key": "k"}) for _ in range(20)]
    statuses = {answer.status_code for answer in api.at_once(calls)}
    assert 200 in statuses <= {200, 409}
    assert doer.done == ["it"]


@pytest.mark.parametrize(
    ("outcome", "status"), [("STATE_CONFLICT", 409), ("NOT_FOUND", 404), ("VALIDATION_FAILED", 422)]
)
def test_what_was_refused_is_refused_alike(
    api: ApiClient, doer: CountingRoutes, outcome: str, status: int
) -> None:
    first, again = do(api, outcome=outcome), do(api, outcome=outcome)
    assert first.status_code == again.status_code == status
    assert first.json() == again.json()
    assert doer.done == ["it"]


@pytest.mark.parametrize(
    ("outcome", "status"),
    [("bug", 500), ("SERVICE_UNAVAILABLE", 503), ("FORBIDDEN", 403), ("RATE_LIMITED", 429)],
)
def test_what_failed_for_other_reasons_may_be_tried_again(
    api: ApiClient, doer: CountingRoutes, outcome: str, status: int
) -> None:
    assert [do(api, outcome=outcome).status_code for _ in range(2)] == [status, status]
    assert doer.done == ["it", "it"]
    assert kept_keys(api) == []


def test_a_body_that_does_not_fit_is_answered_alike(api: ApiClient) -> None:
    answers = [api.post("/deeds", json={}, headers={"Idempotency-Key": "k"}) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [422, 422]
    assert answers[1].headers["idempotent-replayed"] == "true"


@pytest.mark.parametrize("body", [b"{", b"\xff\xfe", b"[" * 50_000, b'"\\ud800"', b"1" * 5000, b""])
def test_a_body_that_is_no_json_is_no_failure_of_ours(api: ApiClient, body: bytes) -> None:
    headers = {"Idempotency-Key": "k", "Content-Type": "application/json"}
    answers = [api.post("/deeds", content=body, headers=headers) for _ in range(2)]
    assert answers[0].status_code in {400, 422}
    assert answers[0].text == answers[1].text


@pytest.mark.parametrize("key", ["", " ", "a b", "x" * 256, "配件".encode(), b"caf\xe9", "a\tb"])
def test_a_key_that_is_no_key_is_told_so(api: ApiClient, doer: CountingRoutes, key: str | bytes) -> None:
    answer = api.post("/deeds", json={"name": "it"}, headers={"Idempotency-Key": key})
    assert answer.status_code == 422
    assert answer.json()["error"]["details"]["fields"][0]["field"] == "Idempotency-Key"
    assert doer.done == []


def test_the_longest_key_is_a_key(api: ApiClient, doer: CountingRoutes) -> None:
    assert [do(api, key="~" * 255).status_code for _ in range(2)] == [200, 200]
    assert doer.done == ["it"]


def test_after_a_day_a_key_is_free_and_forgotten_by_whoever_passes(
    api: ApiClient, doer: CountingRoutes
) -> None:
    do(api, key="k-1")
    do(api, key="k-2")
    make_older(api, "23 hours 59 minutes")
    assert do(api, key="k-1").headers["idempotent-replayed"] == "true"
    make_older(api, "1 minute")
    assert do(api, key="k-1", name="something else").status_code == 200
    assert doer.done == ["it", "it", "something else"]
    assert kept_keys(api) == ["k-1"]


def test_one_left_behind_by_a_crash_is_free_after_a_minute(api: ApiClient, doer: CountingRoutes) -> None:
    do(api)
    Probe(api.house.database).write("UPDATE idempotency_keys SET status = NULL, body = NULL")
    make_older(api, "55 seconds")
    assert do(api).status_code == 409
    make_older(api, "5 seconds")
    assert do(api).status_code == 200
    assert doer.done == ["it", "it"]


def test_one_that_ends_after_its_key_went_to_another_leaves_the_others_answer(
    api: ApiClient, doer: CountingRoutes
) -> None:
    with ThreadPoolExecutor(1) as beside:
        slow = beside.submit(do, api, outcome="wait")
        wait_until(doer.begun.is_set)
        make_older(api, "1 minute")
        other = do(api, name="something else")
        doer.may_end.set()
        slow.result(180)
    assert do(api, name="something else").json() == other.json()


def test_what_is_kept_cannot_be_read_in_the_database(api: ApiClient) -> None:
    do(api, name="客户说等配件")
    body = Probe(api.house.database).value("SELECT body FROM idempotency_keys")
    assert "客户".encode() not in bytes(body)
    assert b"name" not in bytes(body)


def test_a_key_without_the_scope_is_shown_no_answer(api: ApiClient) -> None:
    do(api, agent="admin")
    with api.house.database.transaction() as work:
        Keys(work).register("weak", "admin", [Scope.READ.value])
    headers = {"Authorization": "Bearer weak", "Idempotency-Key": "k-1"}
    answer = api.post("/deeds", None, json={"name": "it", "outcome": "done"}, headers=headers)
    assert answer.status_code == 403


def test_a_route_that_knows_repetitions_by_itself_takes_no_notice(
    api: ApiClient, doer: CountingRoutes
) -> None:
    for _ in range(2):
        api.post("/repeatable", json={"name": "it"}, headers={"Idempotency-Key": "k"})
    api.post(START, json=payload(), headers={"Idempotency-Key": "k"})
    assert doer.done == ["it", "it"]
    assert kept_keys(api) == []


def test_the_description_names_the_header_where_it_is_honoured(api: ApiClient) -> None:
    paths = api.get("/openapi.json", None).json()["paths"]
    honouring = {
        (method, path)
        for path, methods in paths.items()
        for method, operation in methods.items()
        if any(p["name"] == "Idempotency-Key" for p in operation.get("parameters", ()))
    }
    assert {method for method, _ in honouring} == {"post", "put", "patch", "delete"}
    posts = {path for method, path in honouring if method == "post"}
    assert {"/v1/deeds", "/v1/bare", "/v1/reviews/{review_id}/decide"} <= posts
    assert not posts & {"/v1/repeatable", f"/v1{START}", "/v1/webhooks/contact/{provider}"}
    assert ("put", "/v1/capacity") in honouring
    assert all("409" in paths[path][method]["responses"] for method, path in honouring)


def test_without_the_database_nothing_is_done(doer: CountingRoutes) -> None:
    house = InProcessFleet.build("postgresql+psycopg://nobody@127.0.0.1:1/nothing")
    with api_over(house, doer.routes) as api:
        headers = {"Idempotency-Key": "k", "Authorization": f"Bearer {key_of('admin')}"}
        assert api.post("/deeds", None, json={"name": "it"}, headers=headers).status_code == 503
    assert doer.done == []


@settings(max_examples=25)
@given(requests=st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(["x", "y"])), max_size=8))
def test_each_key_does_its_first_request_once_whatever_follows(
    one_api: tuple[ApiClient, CountingRoutes], requests: list[tuple[str, str]]
) -> None:
    api, doer = one_api
    doer.done.clear()
    make_older(api, "2 days")
    first: dict[str, str] = {}
    for key, name in requests:
        answer = do(api, key=key, name=name)
        expected = 200 if first.setdefault(key, name) == name else 409
        assert answer.status_code == expected
    assert doer.done == list(first.values())


@pytest.fixture(scope="module")
def one_api(servers: Servers) -> Iterator[tuple[ApiClient, CountingRoutes]]:
    """One API for every example."""
    house, doer = InProcessFleet.build(servers.new_database()), _DOER
    register_keys(house)
    with api_over(house, doer.routes) as caller:
        yield caller, doer
    house.close()
