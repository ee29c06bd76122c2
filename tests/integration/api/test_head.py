"""Whatever takes GET takes HEAD, which is answered the same but for the body (RFC 9110 §9.3.2)."""

import httpx2
import pytest

from tests.integration.api.test_description import HELD
from tests.support.api.client import ApiClient, key_of, register_keys
from tests.support.api.live_server import serving
from tests.support.in_process_fleet import InProcessFleet

READ = [path.removeprefix("/v1") for method, path in HELD if method == "GET"]
STREAMS = "/events"
TOLD = {"content-type", "content-length", "allow", "www-authenticate"}


@pytest.mark.parametrize("path", [path for path in READ if not path.endswith(STREAMS)])
def test_head_answers_as_get_does_without_the_body(api: ApiClient, path: str) -> None:
    address = path.replace("{", "HT-").replace("}", "")
    got, asked = api.get(address), api.call("HEAD", address)
    assert (asked.status_code, asked.content) == (got.status_code, b"")
    if path not in {"/metrics", "/health"}:  # which are another text from one moment to the next
        assert {k: v for k, v in asked.headers.items() if k in TOLD} == {
            k: v for k, v in got.headers.items() if k in TOLD
        }


def test_head_needs_the_key_that_get_needs(api: ApiClient) -> None:
    assert api.call("HEAD", "/states", None).status_code == 401


def test_what_takes_no_get_takes_no_head(api: ApiClient) -> None:
    answer = api.call("HEAD", "/agents/orchestrator/tasks/start")
    assert (answer.status_code, answer.headers["allow"], answer.content) == (405, "POST", b"")


def test_requests_for_the_head_are_counted_as_such(api: ApiClient) -> None:
    api.call("HEAD", "/health/live", None)
    assert 'method="HEAD",route="/health/live",status="200"' in api.get("/metrics", None).text


def test_the_head_of_a_stream_ends_at_once_and_leaves_the_connection_usable(house: InProcessFleet) -> None:
    register_keys(house)
    with serving(house) as address, httpx2.Client(base_url=address, trust_env=False, timeout=180) as client:
        client.headers["Authorization"] = f"Bearer {key_of('operator')}"
        for _ in range(2):
            answer = client.head("/events")
            assert (answer.status_code, answer.content) == (200, b"")
            assert answer.headers["content-type"].startswith("text/event-stream")
        assert client.get("/states").status_code == 200
