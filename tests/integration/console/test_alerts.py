"""The page of alerts: merged by type, acknowledged and resolved, one or all of a type (CONSOLE.md §5)."""

from typing import Any

from schemas.people.effects import AlertRaised
from storage.people.alerts import Alerts
from tasks.orders.explain.pulse import read_pulse
from tests.support.console.client import ConsoleClient, words_on
from tests.support.probe import Probe

OPEN = "/alerts?type=low_confidence"


def raised(console: ConsoleClient, **about: Any) -> str:
    """An alert; its id."""
    given: dict[str, Any] = {"alert_type": "low_confidence", "severity": "warning", "message": "意图不明确"}
    with console.house.database.transaction() as work:
        (alert_id,) = Alerts(work).raise_all([AlertRaised(**(given | about))])
    return alert_id


def status_of(console: ConsoleClient, alert_id: str) -> tuple[str, str | None, str | None]:
    with console.house.database.transaction() as work:
        alert = Alerts(work).find(alert_id)
    assert alert is not None
    return alert.status, alert.handled_by, alert.note


def until_on(page: str) -> str:
    """The moment up to which a page handles all of a type."""
    return page.partition('name="until" value="')[2].partition('"')[0]


def test_alerts_are_merged_by_type_with_counts_and_critical_types_first(console: ConsoleClient) -> None:
    raised(console, alert_type="emergency", severity="critical")
    for _ in range(2):
        raised(console)
    page = words_on(console.get("/alerts", "viewer"))
    assert "Alerts 3" in page
    assert "Emergency 1 critical: 1" in page
    assert "Classification uncertain 2" in page
    assert page.index("Emergency") < page.index("Classification uncertain")
    assert "意图不明确" not in page
    assert words_on(console.get(OPEN, "viewer")).count("意图不明确") == 2


def test_the_filters_choose_by_state_and_severity(console: ConsoleClient) -> None:
    seen = raised(console)
    raised(console, alert_type="emergency", severity="critical")
    console.post("/alerts", "manager", do="acknowledge", alert_id=seen)
    assert "Alerts 1 " in words_on(console.get("/alerts?state=acknowledged", "viewer"))
    assert "Alerts 1 " in words_on(console.get("/alerts?severity=critical", "viewer"))
    assert "No alerts stand so." in words_on(console.get("/alerts?state=resolved", "viewer"))


def test_one_is_acknowledged_then_resolved_with_a_note(console: ConsoleClient) -> None:
    alert_id = raised(console)
    page = console.post(OPEN, "manager", do="acknowledge", alert_id=alert_id)
    assert "acknowledged · manager" in words_on(page)
    console.post(OPEN, "manager", do="resolve", alert_id=alert_id, note="已回访")
    assert status_of(console, alert_id) == ("resolved", "manager", "已回访")
    late = console.post(OPEN, "manager", do="acknowledge", alert_id=alert_id)
    assert late.status_code == 409
    assert "resolved already" in words_on(late)


def test_who_has_the_list_open_learns_that_another_acknowledged(console: ConsoleClient) -> None:
    alert_id = raised(console)
    before = read_pulse(console.house.database, None).revisions["alerts"]
    console.post("/alerts", "manager", do="acknowledge", alert_id=alert_id)
    assert read_pulse(console.house.database, None).revisions["alerts"] != before


def test_all_of_a_type_are_resolved_but_none_that_was_raised_since(console: ConsoleClient) -> None:
    first, second, other = raised(console), raised(console), raised(console, alert_type="timeout")
    until = until_on(console.get(OPEN, "manager").text)
    later = raised(console)
    page = console.post(OPEN, "manager", do="resolve", all="low_confidence", until=until, note="同一原因")
    assert "Alerts handled: 2" in words_on(page)
    assert [status_of(console, each)[0] for each in (first, second, later, other)] == [
        "resolved",
        "resolved",
        "pending_review",
        "pending_review",
    ]
    lines = "SELECT count(*) FROM system_audit WHERE what = 'alert_resolved' AND actor = 'manager'"
    assert Probe(console.house.database).value(lines) == 2


def test_all_of_a_type_are_acknowledged_and_those_seen_before_stay_as_they_are(
    console: ConsoleClient,
) -> None:
    seen, new = raised(console), raised(console)
    console.post(OPEN, "admin", do="acknowledge", alert_id=seen)
    until = until_on(console.get(OPEN, "manager").text)
    page = console.post(OPEN, "manager", do="acknowledge", all="low_confidence", until=until)
    assert "Alerts handled: 1" in words_on(page)
    assert [status_of(console, each)[1] for each in (seen, new)] == ["admin", "manager"]


def test_a_note_that_is_too_long_is_shown_again_beside_its_fault(console: ConsoleClient) -> None:
    alert_id, note = raised(console), "x" * 501
    page = console.post(OPEN, "manager", do="resolve", alert_id=alert_id, note=note)
    assert page.status_code == 422
    assert "At most 500 characters." in words_on(page)
    assert note in page.text
    assert status_of(console, alert_id)[0] == "pending_review"


def test_who_may_not_handle_alerts_sees_no_control_and_is_refused(console: ConsoleClient) -> None:
    alert_id = raised(console)
    assert 'method="post" action="/console/alerts' not in console.get(OPEN, "operator").text
    assert 'method="post" action="/console/alerts' in console.get(OPEN, "manager").text
    assert console.post(OPEN, "operator", do="resolve", alert_id=alert_id).status_code == 403
    assert status_of(console, alert_id)[0] == "pending_review"


def test_what_an_alert_says_is_text_in_either_language(console: ConsoleClient) -> None:
    raised(console, message="<script>alert(1)</script>")
    for language, named in (("zh", "意图判断把握不足"), ("en", "Classification uncertain")):
        page = console.get(OPEN, "viewer", language=language)
        assert named in words_on(page)
        assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page.text
        assert "<script>alert" not in page.text


def test_an_alert_that_there_is_not_is_not_found(console: ConsoleClient) -> None:
    for alert_id in ("alert_none", "\x00"):
        assert console.post("/alerts", "manager", do="resolve", alert_id=alert_id).status_code == 404
