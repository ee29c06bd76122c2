"""Every request that cannot be served is answered in the one form (seed 000 section 九)."""

import re
from datetime import UTC, datetime
from typing import Any

import httpx2
import pytest
from structlog.testing import capture_logs

from api.server.errors import STATUS
from schemas.core.error import Code
from tests.support.api.client import ApiClient, api_over, in_chunks, key_of, register_keys
from tests.support.api.live_server import serving
from tests.support.factories import payload
from tests.support.in_process_fleet import InProcessFleet

START = "/agents/orchestrator/tasks/start"
JSON = {"Content-Type": "application/json"}


def error_of(answer: httpx2.Response, status: int, code: Code) -> dict[str, Any]:
    """The error of an answer that has the form in every respect."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/json"
    body = answer.json()
    assert list(body) == ["success", "error", "request_id", "timestamp"]
    assert list(body["error"]) == ["code", "message", "details"]
    assert body["success"] is False
    assert body["error"]["code"] == code
    assert body["error"]["message"]
    assert body["request_id"] == answer.headers["x-request-id"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", body["timestamp"])
    age = datetime.now(UTC) - datetime.fromisoformat(body["timestamp"])
    assert abs(age.total_seconds()) < 60
    error: dict[str, Any] = body["error"]
    return error


@pytest.mark.parametrize("path", ["/nowhere", "/agents/orchestrator/", "/states/", "/health/"])
def test_an_unknown_route_is_not_found(api: ApiClient, path: str) -> None:
    error_of(api.get(path), 404, Code.NOT_FOUND)


def test_outside_the_version_nothing_is_found(api: ApiClient) -> None:
    error_of(api.get("http://api/"), 404, Code.NOT_FOUND)


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [("GET", START, "POST"), ("DELETE", "/states", "GET, HEAD"), ("PUT", "/reviews/REV1/decide", "POST")],
)
def test_a_wrong_method_is_told_the_right_one(api: ApiClient, method: str, path: str, allowed: str) -> None:
    answer = api.call(method, path)
    error_of(answer, 405, Code.METHOD_NOT_ALLOWED)
    assert answer.headers["allow"] == allowed


@pytest.mark.parametrize(
    "body",
    [b"{", b"\xff\xfe\x00", b'{"task_id": }', b"[" * 100_000, b'{"contact_count": ' + b"1" * 5000 + b"}"],
)
def test_a_body_that_is_no_json_is_a_bad_request(api: ApiClient, body: bytes) -> None:
    error_of(api.post(START, content=body, headers=JSON), 400, Code.BAD_REQUEST)


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "nonsense", ""])
def test_a_body_of_another_media_type_is_told_the_right_one(api: ApiClient, kind: str) -> None:
    answer = api.post(START, content=b"{}", headers={"Content-Type": kind})
    assert "application/json" in error_of(answer, 415, Code.UNSUPPORTED_MEDIA_TYPE)["message"]


def test_a_body_without_a_media_type_is_not_read_as_json(api: ApiClient) -> None:
    error_of(api.post(START, content=b"{}"), 415, Code.UNSUPPORTED_MEDIA_TYPE)


def test_json_with_parameters_is_json(api: ApiClient) -> None:
    answer = api.post(START, content=b"{}", headers={"Content-Type": "application/json; charset=utf-8"})
    error_of(answer, 422, Code.VALIDATION_FAILED)


def test_no_body_at_all_is_told_what_is_missing(api: ApiClient) -> None:
    error = error_of(api.post(START), 422, Code.VALIDATION_FAILED)
    assert [fault["field"] for fault in error["details"]["fields"]] == ["body"]


def test_a_body_over_a_mebibyte_is_too_large_announced_or_not(api: ApiClient) -> None:
    body = b'{"task_id": "' + b"x" * 1_048_576 + b'"}'
    error_of(api.post(START, content=body, headers=JSON), 413, Code.PAYLOAD_TOO_LARGE)
    error_of(api.post(START, content=in_chunks(body), headers=JSON), 413, Code.PAYLOAD_TOO_LARGE)


def test_a_body_of_a_mebibyte_is_read(api: ApiClient) -> None:
    body = b'{"task_id": "' + b"x" * (1_048_576 - 15) + b'"}'
    error_of(api.post(START, content=in_chunks(body), headers=JSON), 422, Code.VALIDATION_FAILED)


def test_every_wrong_field_is_named_and_no_value_is_shown(api: ApiClient) -> None:
    wrong = payload(
        order_type="半上门", priority=77, metadata={"phone": 13800138000, "timezone": "Mars/Olympus"}
    )
    answer = api.post(START, json=wrong | {"colour": "teal"})
    error = error_of(answer, 422, Code.VALIDATION_FAILED)
    fields = error["details"]["fields"]
    assert {fault["field"] for fault in fields} == {"order_type", "priority", "metadata.phone", "colour"}
    # Of the error alone: the request's id beside it is made of chance and may hold any two digits.
    assert not {value for value in ("半上门", "77", "13800138000", "teal") if value in str(error)}


def test_a_field_named_like_a_phone_number_is_masked(api: ApiClient) -> None:
    answer = api.post(START, json=payload() | {"13800138000": True})
    error_of(answer, 422, Code.VALIDATION_FAILED)
    assert "13800138000" not in answer.text


def test_many_wrong_fields_are_told_in_part(api: ApiClient) -> None:
    answer = api.post(START, json=payload() | {f"field_{n}": n for n in range(500)})
    assert len(error_of(answer, 422, Code.VALIDATION_FAILED)["details"]["fields"]) == 20


@pytest.mark.parametrize("task_id", ["%00", "a%20b", "x" * 33, "%E4%BB%BB"])
def test_a_malformed_id_in_the_path_is_told_so(api: ApiClient, task_id: str) -> None:
    error = error_of(api.get(f"/states/{task_id}"), 422, Code.VALIDATION_FAILED)
    assert [fault["field"] for fault in error["details"]["fields"]] == ["task_id"]


@pytest.mark.parametrize("query", [{"limit": "0"}, {"limit": "many"}, {"state": "lost"}, {"task_id": "\x00"}])
def test_a_malformed_query_is_told_so(api: ApiClient, query: dict[str, str]) -> None:
    error = error_of(api.get("/reviews", params=query), 422, Code.VALIDATION_FAILED)
    assert [fault["field"] for fault in error["details"]["fields"]] == list(query)


def test_a_bug_of_ours_shows_nothing_of_itself_and_is_logged_with_its_stack(house: InProcessFleet) -> None:
    def bug() -> None:
        raise ZeroDivisionError("the secret is swordfish")

    with api_over(house, lambda app: app.add_api_route("/v1/bug", bug)) as api, capture_logs() as lines:
        answer = api.get("/bug", headers={"X-Request-ID": "bug-1"})
    error = error_of(answer, 500, Code.INTERNAL_ERROR)
    assert error["details"] == {}
    assert answer.json()["request_id"] == "bug-1"
    assert not {word for word in ("swordfish", "ZeroDivision", "Traceback") if word in answer.text}
    (line,) = [line for line in lines if line["log_level"] == "error"]
    assert isinstance(line["exc_info"], ZeroDivisionError)
    assert line["exc_info"].__traceback__ is not None


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", START), ("GET", "/states/HT1"), ("GET", "/reviews"), ("POST", "/reviews/REV1/decide")],
)
def test_without_the_database_a_request_is_unavailable_for_now(method: str, path: str) -> None:
    house = InProcessFleet.build("postgresql+psycopg://nobody:swordfish@127.0.0.1:1/nothing")
    with api_over(house) as api:
        answer = api.call(method, path, json=payload() if method == "POST" else None)
        error_of(answer, 503, Code.SERVICE_UNAVAILABLE)
        assert answer.headers["retry-after"] == "1"
        assert "swordfish" not in answer.text
        assert "127.0.0.1" not in answer.text
        assert api.get("/health/live", None).status_code == 200
        ready = api.get("/health/ready", None)
        assert error_of(ready, 503, Code.SERVICE_UNAVAILABLE)["details"]["parts"]["database"] == "unavailable"


def test_every_exception_in_the_table_has_a_status() -> None:
    assert set(STATUS) == set(Code)
    assert all(400 <= status <= 599 for status in STATUS.values())


def test_over_a_real_connection_the_form_is_the_same(house: InProcessFleet) -> None:
    register_keys(house)
    body = b'{"task_id": "' + b"x" * 1_048_576 + b'"}'
    with serving(house) as address, httpx2.Client(base_url=address, trust_env=False, timeout=180) as client:
        client.headers["Authorization"] = f"Bearer {key_of('admin')}"
        announced = client.post(START, content=body, headers=JSON)
        chunked = client.post(START, content=iter([body[:600_000], body[600_000:]]), headers=JSON)
        error_of(client.get("/nowhere"), 404, Code.NOT_FOUND)
        started = client.post(START, json=payload())
    error_of(announced, 413, Code.PAYLOAD_TOO_LARGE)
    error_of(chunked, 413, Code.PAYLOAD_TOO_LARGE)
    assert started.status_code == 200
