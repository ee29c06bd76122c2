"""What a person should look at: found, acknowledged, resolved, each once (SPEC.md §6)."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from schemas.people.effects import AlertRaised
from storage.access.system_audit import SystemAudit
from storage.orders.figures.figures import Figures
from storage.orders.order_view import OrderView
from storage.people.alerts import Alerts
from tests.support.api.client import ApiClient
from tests.support.factories import submission
from tests.support.in_process_fleet import InProcessFleet


def raised(house: InProcessFleet, **about: Any) -> str:
    """An alert; its id."""
    given: dict[str, Any] = {"alert_type": "low_confidence", "severity": "warning", "message": "意图不明确"}
    with house.database.transaction() as work:
        (alert_id,) = Alerts(work).raise_all([AlertRaised(**(given | about))])
    return alert_id


def listed(api: ApiClient, **wanted: Any) -> list[str]:
    """The ids of the alerts that a list shows."""
    return [alert["alert_id"] for alert in api.get("/alerts", params=wanted).json()["alerts"]]


def attend(api: ApiClient, alert_id: str, verb: str, agent: str = "operator", **body: Any) -> Any:
    return api.post(f"/alerts/{alert_id}/{verb}", agent, json=body)


def audited(api: ApiClient, task_id: str) -> list[tuple[str, str, Any]]:
    """What history says of alerts: what, by whom, with which note."""
    with api.house.database.transaction() as work:
        lines = OrderView(work).audit_lines(task_id)
    return [
        (line["event_type"], line["agent_id"], line["metadata"].get("note"))
        for line in lines
        if line["event_type"].startswith("alert_")
    ]


def test_the_newest_alert_comes_first_with_everything_known_of_it(api: ApiClient) -> None:
    raised(api.house)
    newest = raised(api.house, severity="critical", metadata={"confidence": 0.45}, task_id="HT1")
    first = api.get("/alerts", "audit_agent").json()["alerts"][0]
    raised_at = first.pop("raised_at")
    assert raised_at.endswith("Z")
    assert first == {
        "alert_id": newest,
        "alert_type": "low_confidence",
        "task_id": "HT1",
        "severity": "critical",
        "message": "意图不明确",
        "metadata": {"confidence": 0.45},
        "escalated_to": "quality_inspector",
        "status": "pending_review",
        "handled_at": None,
        "handled_by": None,
        "note": None,
    }


@pytest.mark.parametrize(
    "wanted",
    [
        {"type": "call_failed"},
        {"severity": "critical"},
        {"task_id": "HT9"},
        {"escalated_to": "duty_manager"},
        {"type": "call_failed", "severity": "critical"},
    ],
)
def test_a_filter_leaves_only_what_it_names(api: ApiClient, wanted: dict[str, str]) -> None:
    raised(api.house)
    other = raised(
        api.house,
        alert_type="call_failed",
        severity="critical",
        task_id="HT9",
        escalated_to="duty_manager",
    )
    assert listed(api, **wanted) == [other]


def test_alerts_are_found_by_what_became_of_them(api: ApiClient) -> None:
    untouched, seen, done = (raised(api.house) for _ in range(3))
    attend(api, seen, "acknowledge")
    attend(api, done, "resolve")
    by_status = {
        status: listed(api, status=status) for status in ("pending_review", "acknowledged", "resolved")
    }
    assert by_status == {"pending_review": [untouched], "acknowledged": [seen], "resolved": [done]}


@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(size=st.integers(1, 4), between=st.integers(0, 2))
def test_pages_together_are_the_list_exactly_once_whatever_is_raised_meanwhile(
    api: ApiClient, size: int, between: int
) -> None:
    with api.house.database.transaction() as work:
        work.connection.execute(text("DELETE FROM alerts"))
    whole = [raised(api.house) for _ in range(5)][::-1]
    found: list[str] = []
    cursor: str | None = None
    while True:
        page = api.get("/alerts", params={"limit": size} | ({"cursor": cursor} if cursor else {})).json()
        assert len(page["alerts"]) <= size
        found += [alert["alert_id"] for alert in page["alerts"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
        for _ in range(between):
            raised(api.house)
    assert found == whole


@pytest.mark.parametrize(
    "cursor",
    ["", "x", "broken", "!!", "2026", "5ZWK", "\x00", "MjAyNi0wMS0wMSBB", "MDAwMS0wMS0wMVQwMDowMFogQQ"],
)
def test_a_cursor_that_is_none_of_ours_is_refused_by_name(api: ApiClient, cursor: str) -> None:
    answer = api.get("/alerts", params={"cursor": cursor})
    assert answer.status_code == 422
    assert answer.json()["error"]["details"]["fields"][0]["field"] == "cursor"


@pytest.mark.parametrize(
    "wanted",
    [
        {"status": "open"},
        {"severity": "bad"},
        {"limit": "0"},
        {"limit": "99999999999999999999"},
        {"type": "a\x00b"},
        {"task_id": "x" * 65},
    ],
)
def test_a_list_that_cannot_be_asked_for_is_refused(api: ApiClient, wanted: dict[str, str]) -> None:
    assert api.get("/alerts", params=wanted).status_code == 422


def test_acknowledging_says_who_looks_into_it_and_leaves_it_active(api: ApiClient) -> None:
    alert_id = raised(api.house)
    answer = attend(api, alert_id, "acknowledge", by="王芳", note="正在回听录音")
    assert answer.status_code == 200
    assert (answer.json()["success"], answer.json()["outcome"]) == (True, "applied")
    alert = answer.json()["alert"]
    assert (alert["status"], alert["handled_by"], alert["note"]) == (
        "acknowledged",
        "operator",
        "正在回听录音",
    )
    assert alert["handled_at"] is None
    with api.house.database.transaction() as work:
        assert Figures(work).alerts().active == 1


def test_resolving_is_counted_as_handled(api: ApiClient) -> None:
    alert_id = raised(api.house)
    alert = attend(api, alert_id, "resolve").json()["alert"]
    assert (alert["status"], alert["handled_by"]) == ("resolved", "operator")
    assert alert["handled_at"] is not None
    with api.house.database.transaction() as work:
        figures = Figures(work).alerts()
    assert (figures.active, figures.handled_today) == (0, 1)


@pytest.mark.parametrize("verb", ["acknowledge", "resolve"])
def test_the_same_again_changes_nothing_and_keeps_who_was_first(api: ApiClient, verb: str) -> None:
    alert_id = raised(api.house)
    first = attend(api, alert_id, verb, by="王芳", note="看过").json()
    again = attend(api, alert_id, verb, by="李雷", note="也看过").json()
    assert again["outcome"] == "repeated"
    assert again["alert"] == first["alert"]


def test_an_alert_may_be_resolved_after_it_was_acknowledged_and_keeps_its_note(api: ApiClient) -> None:
    alert_id = raised(api.house)
    attend(api, alert_id, "acknowledge", by="王芳", note="正在处理")
    alert = attend(api, alert_id, "resolve", by="李雷").json()["alert"]
    assert (alert["status"], alert["handled_by"], alert["note"]) == ("resolved", "operator", "正在处理")


def test_what_is_resolved_cannot_be_acknowledged_any_more(api: ApiClient) -> None:
    alert_id = raised(api.house)
    attend(api, alert_id, "resolve", by="王芳")
    answer = attend(api, alert_id, "acknowledge", by="李雷")
    assert answer.status_code == 409
    assert answer.json()["error"]["details"] == {
        "alert_id": alert_id,
        "alert_status": "resolved",
        "handled_by": "operator",
    }


def test_of_many_who_resolve_at_once_one_does(api: ApiClient) -> None:
    alert_id = raised(api.house)
    path = f"/alerts/{alert_id}/resolve"
    answers = api.at_once([api.prepare("POST", path, json={"by": f"person {n}"}) for n in range(6)])
    assert sorted(answer.json()["outcome"] for answer in answers) == ["applied", *["repeated"] * 5]


def test_each_step_leaves_one_line_in_the_orders_history(api: ApiClient) -> None:
    order = submission()
    api.house.accept(order)
    alert_id = raised(api.house, task_id=order.body.task_id)
    for verb in ("acknowledge", "acknowledge", "resolve", "resolve"):
        attend(api, alert_id, verb, by="王芳", note=verb)
    assert audited(api, order.body.task_id) == [
        ("alert_acknowledged", "operator", "acknowledge"),
        ("alert_resolved", "operator", "resolve"),
    ]


@pytest.mark.parametrize("task_id", [None, "HT-never-accepted"])
def test_an_alert_of_no_order_leaves_its_line_in_the_systems_audit(
    api: ApiClient, task_id: str | None
) -> None:
    alert_id = raised(api.house, task_id=task_id)
    attend(api, alert_id, "resolve", by="王芳", note="已修好")
    with api.house.database.transaction() as work:
        (entry,) = SystemAudit(work).recent(what="alert_resolved")
    assert (entry.actor, entry.label) == ("operator", "王芳")
    assert entry.detail == {
        "alert_id": alert_id,
        "alert_type": "low_confidence",
        "note": "已修好",
        "task_id": task_id,
    }


@pytest.mark.parametrize(
    "body",
    [
        {"by": ""},
        {"by": "  "},
        {"by": "x" * 33},
        {"by": "a\x00b"},
        {"by": 7},
        {"note": ""},
        {"note": "x" * 501},
        {"note": "a\x00b"},
        {"status": "resolved"},
    ],
)
def test_a_body_that_cannot_be_kept_is_refused_and_the_alert_stays(
    api: ApiClient, body: dict[str, Any]
) -> None:
    alert_id = raised(api.house)
    assert attend(api, alert_id, "resolve", **body).status_code == 422
    assert listed(api, status="pending_review") == [alert_id]


def test_half_a_character_in_a_name_is_refused(api: ApiClient) -> None:
    answer = api.post(
        f"/alerts/{raised(api.house)}/resolve",
        content=b'{"by": "\\ud800"}',
        headers={"Content-Type": "application/json"},
    )
    assert answer.status_code == 422


def test_an_unknown_alert_is_not_found(api: ApiClient) -> None:
    assert {attend(api, "ALT404", verb).status_code for verb in ("acknowledge", "resolve")} == {404}


def test_only_those_who_decide_may_handle_alerts(api: ApiClient) -> None:
    alert_id = raised(api.house)
    assert attend(api, alert_id, "resolve", "audit_agent").status_code == 403
    assert listed(api, status="pending_review") == [alert_id]
