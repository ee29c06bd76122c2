"""The API's routes as a page."""

from tests.support.console.client import ConsoleClient, words_on


def test_every_group_of_routes_is_there_and_one_is_found_by_its_path(console: ConsoleClient) -> None:
    page = console.get("/docs", "viewer")
    assert "POST /v1/agents/orchestrator/tasks/start" in words_on(page)
    found = console.get("/docs?q=/v1/reviews/{review_id}/decide", "viewer")
    assert found.text.count("<details id=") == 1
    assert "Idempotency-Key" in words_on(found)


def test_what_is_not_there_is_said(console: ConsoleClient) -> None:
    assert "Nothing was found" in words_on(console.get("/docs?q=nowhere", "viewer"))
