"""What nobody should send: answered in the one form, with the right code, and never with a 500."""

import gzip
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import repeat
from typing import Any

import httpx2
import pytest

from api.server.description import operations_of
from api.server.route import MOST_NAMES
from schemas.core.error import Code
from tests.integration.api.test_errors import JSON, START, error_of
from tests.support.api.client import ApiClient, api_over, key_of, register_keys
from tests.support.api.live_server import serving
from tests.support.factories import payload
from tests.support.in_process_fleet import InProcessFleet
from tests.support.servers import Servers

_DEEP = 10_000
_NUL = "\\u0000"
_LONE = "\\ud800"

TEXTS: list[tuple[str, str, dict[str, Any]]] = [
    (START, "order_type", payload(task_id="HT1")),
    (START, "metadata.customer_id", payload(task_id="HT1")),
    ("/agents/contact/initiate", "phone_number", {"task_id": "HT1", "contact_method": "phone"}),
    ("/agents/contact/initiate", "script_id", {"task_id": "HT1", "contact_method": "phone"}),
    ("/agents/triage/classify", "user_input", {"task_id": "HT1"}),
    ("/agents/triage/classify", "context.pending_reason", {"task_id": "HT1"}),
    ("/agents/triage/classify", "context.anything", {"task_id": "HT1"}),
    ("/agents/actions/execute", "action_params.reason", {"task_id": "HT1", "action_type": "cancel_order"}),
    ("/agents/actions/execute", "action_params.more", {"task_id": "HT1", "action_type": "cancel_order"}),
    ("/agents/audit/log", "event_type", {"task_id": "HT1", "agent_id": "a"}),
    ("/agents/audit/log", "metadata.more", {"task_id": "HT1", "agent_id": "a", "event_type": "e"}),
    ("/agents/audit/alert", "message", {"alert_type": "a", "severity": "info"}),
    ("/agents/orchestrator/tasks/dispatch", "action_type", {"task_id": "HT1", "target_agent": "audit_agent"}),
    ("/agents/register", "agent_id", {}),
    ("/agents/register", "metadata.more", {"agent_id": "admin"}),
    ("/reviews/REV1/decide", "reason", {"decision": "close"}),
    ("/reviews/REV1/decide", "by", {"decision": "retry"}),
    ("/reviews/REV1/claim", "by", {}),
    ("/alerts/ALT1/resolve", "note", {}),
    ("/tasks", "description", {"task_type": "triage.classify_text", "parameters": {"text": "a"}}),
    ("/tasks", "parameters.text", {"task_type": "triage.classify_text"}),
    ("/tasks/HT1/cancel", "reason", {}),
    ("/tasks/HT1/signals", "data.words", {"type": "customer_called"}),
    ("/tasks/HT1/signals", "data.part", {"type": "part_arrived"}),
    ("/tools/classify_intent/call", "input.text", {}),
    ("/webhooks/subscribers", "url", {"events": ["task.closed"]}),
]
"""A text field each, with the rest of its request."""

WRITTEN = [
    "/agents/contact/initiate",
    "/agents/triage/classify",
    "/agents/actions/execute",
    "/states/transition",
    "/tasks",
    "/tasks/batch",
    "/tasks/HT1/signals",
    "/tasks/HT1/cancel",
    "/reviews/REV1/decide",
    "/tools/log_event/call",
    "/agents/register",
    START,
]
"""Routes that read a body."""


def body_with(field: str, value: str, rest: dict[str, Any]) -> bytes:
    """The request with this field, whose value is written as JSON escapes have it."""
    body: dict[str, Any] = json.loads(json.dumps(rest))
    *path, last = field.split(".")
    place = body
    for name in path:
        place = place.setdefault(name, {})
    place[last] = "@@"
    return json.dumps(body).replace("@@", f"a{value}b").encode()


@pytest.fixture(scope="module")
def api(servers: Servers) -> Iterator[ApiClient]:
    """One API for all of it: nothing here may leave a trace, and no fleet works, so that nothing is waited for."""
    house = InProcessFleet.build(servers.new_database(), least_wait_seconds=0)
    register_keys(house)
    with api_over(house) as caller:
        yield caller
    house.close()


@pytest.mark.parametrize("broken", [_NUL, _LONE], ids=["NUL", "lone surrogate"])
@pytest.mark.parametrize(("path", "field", "rest"), TEXTS, ids=[f"{each[0]} {each[1]}" for each in TEXTS])
def test_text_that_cannot_be_stored_is_told_so_at_its_field(
    api: ApiClient, path: str, field: str, rest: dict[str, Any], broken: str
) -> None:
    answer = api.post(path, content=body_with(field, broken, rest), headers=JSON)
    error = error_of(answer, 422, Code.VALIDATION_FAILED)
    outermost = field.partition(".")[0]
    assert any(outermost in fault["field"] for fault in error["details"]["fields"]), error


@pytest.mark.parametrize("path", WRITTEN)
@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"{'task_id': 'HT1'}",
        b"\x00",
        '{"task_id": "配件"}'.encode("gbk"),
        '{"task_id": "HT1"}'.encode("utf-16"),
        b'{"metadata": ' + b"[" * _DEEP + b"]" * _DEEP + b"}",
        gzip.compress(b"{}"),
    ],
    ids=["cut", "single quotes", "NUL", "GBK", "UTF-16", "deep", "gzip"],
)
def test_a_body_that_cannot_be_read_is_refused(api: ApiClient, path: str, body: bytes) -> None:
    answer = api.post(path, content=body, headers=JSON)
    assert answer.status_code in {400, 422}, answer.text
    error_of(
        answer, answer.status_code, Code.BAD_REQUEST if answer.status_code == 400 else Code.VALIDATION_FAILED
    )


def test_a_body_that_is_little_but_names_is_refused_before_it_is_read(api: ApiClient) -> None:
    names = ",".join(f'"{n}" :0' for n in range(MOST_NAMES + 1))
    error_of(api.post(START, content=f"{{{names}}}", headers=JSON), 413, Code.PAYLOAD_TOO_LARGE)
    within = json.dumps({"task_id": names})
    error_of(api.post(START, content=within, headers=JSON), 422, Code.VALIDATION_FAILED)


def test_a_number_at_the_end_of_a_name_that_is_cut_is_masked(api: ApiClient) -> None:
    answer = api.post("/states/transition", json={"x" * 90 + "13800138000": 1})
    assert answer.status_code == 422
    assert "138001" not in answer.text


@pytest.mark.parametrize("path", WRITTEN)
@pytest.mark.parametrize("body", [b"null", b"[]", b'"text"', b"0", b"true"])
def test_json_of_another_kind_is_told_so(api: ApiClient, path: str, body: bytes) -> None:
    answer = api.post(path, content=body, headers=JSON)
    if path.endswith("/cancel") and body == b"null":
        error_of(answer, 404, Code.NOT_FOUND)  # whose body may be absent
        return
    error_of(answer, 422, Code.VALIDATION_FAILED)


@pytest.mark.parametrize("number", ["1e400", "-1e400", "9" * 400, "NaN", "Infinity", "1e30"])
def test_a_number_that_no_column_holds_is_refused(api: ApiClient, number: str) -> None:
    for path, field in ((START, "contact_count"), ("/agents/contact/initiate", "attempt")):
        body = f'{{"task_id": "HT1", "contact_method": "phone", "{field}": {number}}}'
        answer = api.post(path, content=body.encode(), headers=JSON)
        assert answer.status_code in {400, 422}, answer.text


def test_of_a_name_that_is_there_twice_the_last_value_counts(api: ApiClient) -> None:
    body = b'{"task_type": "none", "task_type": "triage.classify_text", "text": 1, "description": "a"}'
    error = error_of(api.post("/tasks", content=body, headers=JSON), 422, Code.VALIDATION_FAILED)
    assert [fault["field"].rpartition(".")[2] for fault in error["details"]["fields"]] == ["text"]


@pytest.mark.parametrize("path", WRITTEN)
def test_a_compressed_body_is_not_unpacked(api: ApiClient, path: str) -> None:
    answer = api.post(path, content=gzip.compress(b"{}"), headers=JSON | {"Content-Encoding": "gzip"})
    assert answer.status_code in {400, 415}, answer.text


@pytest.mark.parametrize("path", [path for path in WRITTEN if path != "/tasks/batch"])
def test_two_mebibytes_are_too_large_for_every_route(api: ApiClient, path: str) -> None:
    body = json.dumps({"text": "x" * 2_097_152}).encode()
    error_of(api.post(path, content=body, headers=JSON), 413, Code.PAYLOAD_TOO_LARGE)


def test_a_body_without_an_end_is_cut_off(house: InProcessFleet) -> None:
    register_keys(house)
    with connected(house) as client:
        answer = client.post(START, content=repeat(b" " * 65_536, 64), headers=JSON)
    error_of(answer, 413, Code.PAYLOAD_TOO_LARGE)


@pytest.mark.parametrize("method", ["OPTIONS", "PUT", "PATCH", "DELETE", "TRACE", "BREW"])
@pytest.mark.parametrize("path", ["/tasks", "/reviews", "/agents/orchestrator/tasks/start", "/health"])
def test_another_method_is_told_the_right_ones(api: ApiClient, method: str, path: str) -> None:
    answer = api.call(method, path)
    assert answer.status_code == 405
    allowed = {"/tasks": "GET, HEAD, POST", "/reviews": "GET, HEAD", "/health": "GET, HEAD"}
    assert answer.headers["allow"] == allowed.get(path, "POST")
    error_of(answer, 405, Code.METHOD_NOT_ALLOWED)


@pytest.mark.parametrize(
    "path",
    [
        "/tasks/%00",
        "/tasks/%ff%fe",
        "/tasks/%C0%AE",
        "/tasks/%ED%A0%80",
        "/tasks/%zz",
        "/tasks/..%2f..%2fetc",
        "/tasks/" + "x" * 4000,
        "/tasks/%E6%8C%82%E8%B5%B7",
        "/reviews/%0d%0aX-Evil:1",
        "/tools/%00/call",
        "/webhooks/contact/%00",
        "/%2e%2e/%2e%2e",
        "//tasks",
    ],
)
def test_a_path_of_garbage_is_not_found_or_told_what_is_wrong(api: ApiClient, path: str) -> None:
    answer = api.get(f"http://api/v1{path}")
    assert answer.status_code in {404, 405, 422}, answer.text
    error_of(answer, answer.status_code, Code(answer.json()["error"]["code"]))
    assert "x-evil" not in answer.headers


@pytest.mark.parametrize("name", ["Authorization", "X-Agent-ID", "X-Request-ID", "Idempotency-Key", "Prefer"])
@pytest.mark.parametrize("value", [b"\xff\xfe", b"x" * 60_000, b"a\tb", b" ", b"\xe6\x8c\x82"])
def test_a_header_of_garbage_is_refused_or_passed_over(api: ApiClient, name: str, value: bytes) -> None:
    body = {"task_id": "HT404", "contact_method": "phone"}
    answer = api.post("/agents/contact/initiate", json=body, headers={name: value})
    assert answer.status_code in {401, 403, 404, 422}, answer.text
    error_of(answer, answer.status_code, Code(answer.json()["error"]["code"]))


@pytest.mark.parametrize(
    "query", ["limit=%00", "limit=1e3", "limit=" + "9" * 400, "cursor=%ff", "state=%ED%A0%80"]
)
def test_a_query_of_garbage_is_told_so(api: ApiClient, query: str) -> None:
    error_of(api.get(f"/reviews?{query}"), 422, Code.VALIDATION_FAILED)


def test_no_route_fails_for_a_body_of_each_kind_of_value(api: ApiClient) -> None:
    values: list[Any] = [
        None,
        True,
        -1,
        2**63,
        2**200,
        1.5,
        "",
        "\u202e",
        [],
        {},
        [[]],
        {"": ""},
        "0001-01-01T00:00:00Z",
    ]
    described = api.get("/openapi.json", None).json()
    for path, methods in described["paths"].items():
        fields = list(_fields(described, methods.get("post", {})))
        address = re.sub(r"\{[a-z_]+\}", "X1", path.removeprefix("/v1"))
        calls = [
            api.prepare("POST", address, json=dict.fromkeys(fields, value)) for value in values if fields
        ]
        for answer in api.at_once(calls):
            assert answer.status_code < 500, f"{path}: {answer.text}"
    assert list(operations_of(described))


def _fields(described: dict[str, Any], operation: dict[str, Any]) -> Iterator[str]:
    """The names of the fields a request may have, in any of its forms."""
    for content in operation.get("requestBody", {}).get("content", {}).values():
        schema = content["schema"]
        forms = [schema, *schema.get("oneOf", ()), *schema.get("anyOf", ())]
        for form in forms:
            found = described["components"]["schemas"].get(form.get("$ref", "").rpartition("/")[2], form)
            yield from found.get("properties", {})


@contextmanager
def connected(house: InProcessFleet) -> Iterator[httpx2.Client]:
    """A client of the API over a real connection."""
    with serving(house) as address, httpx2.Client(base_url=address, trust_env=False, timeout=180) as client:
        client.headers["Authorization"] = f"Bearer {key_of('admin')}"
        yield client


@pytest.mark.parametrize(
    ("path", "field"),
    [(START, "contact_count"), (START, "priority"), ("/agents/contact/initiate", "attempt")],
)
def test_true_and_false_are_no_numbers(api: ApiClient, path: str, field: str) -> None:
    error = error_of(api.post(path, json={"task_id": "HT1", field: True}), 422, Code.VALIDATION_FAILED)
    assert {"field": field, "message": "must be a whole number, not true or false"} in error["details"][
        "fields"
    ]
