"""Outside agents log what they did and raise alerts; people read the log (seed 000 section 四 5️⃣)."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from api.orders.agents.audit import FLEETS_OWN
from storage.orders.order_view import OrderView
from storage.people.alerts import Alerts
from tests.support.api.client import ApiClient
from tests.support.factories import CANCEL, READY, answered, payload
from tests.support.in_process_fleet import InProcessFleet
from tests.support.orders.signals import order_run
from tests.support.probe import Probe

START = "/agents/orchestrator/tasks/start"
LOG = "/agents/audit/log"
LOGS = "/agents/audit/logs"
ALERT = "/agents/audit/alert"


@pytest.fixture
def task_id(api: ApiClient) -> str:
    """An order whose steps outside agents perform, at times of their own."""
    body = payload(mode="manual")
    api.post(START, json=body)
    return str(body["task_id"])


def line(task_id: str, **changes: Any) -> dict[str, Any]:
    return {
        "task_id": task_id,
        "event_type": "action_executed",
        "agent_id": "action_agent",
        "action": "schedule_followup",
        "timestamp": "2026-03-13T21:10:00Z",
        "metadata": {
            "previous_state": "classified",
            "new_state": "waiting_followup",
            "confidence": 0.95,
            "approval_required": False,
        },
    } | changes


def alert(task_id: str | None, **changes: Any) -> dict[str, Any]:
    return {
        "alert_type": "low_confidence",
        "task_id": task_id,
        "severity": "warning",
        "message": "意图识别置信度低于 60%",
        "metadata": {"confidence": 0.45, "classified_intent": "暂缓"},
    } | changes


def logged(api: ApiClient, **wanted: Any) -> list[dict[str, Any]]:
    answer = api.get(LOGS, "operator", params=wanted)
    assert answer.status_code == 200
    found: list[dict[str, Any]] = answer.json()["logs"]
    return found


@pytest.mark.parametrize("path", [LOG, "/audit/log"])
def test_a_line_is_stored_and_named_as_the_seed_has_it(api: ApiClient, task_id: str, path: str) -> None:
    answer = api.post(path, "audit_agent", json=line(task_id))
    assert answer.status_code == 200
    body = answer.json()
    assert body == {"success": True, "log_id": body["log_id"], "stored": True}
    assert body["log_id"].startswith("LOG")
    (found,) = logged(api, event_type="action_executed")
    assert found["log_id"] == body["log_id"]
    assert found["timestamp"] == "2026-03-13T21:10:00.000Z"
    assert found["metadata"].items() >= line(task_id)["metadata"].items()


def test_a_line_is_of_the_agent_that_acted_and_names_whose_key_it_came_with(
    api: ApiClient, task_id: str
) -> None:
    given = line(task_id, metadata={"logged_by": "somebody else"})
    answer = api.post(LOG, "audit_agent", json=given, headers={"X-Request-ID": "chain-1"})
    assert answer.status_code == 200
    (found,) = logged(api, agent_id="action_agent", event_type="action_executed")
    assert found["metadata"] == {"logged_by": "audit_agent", "request_id": "chain-1"}


def test_a_line_without_a_time_happened_now(api: ApiClient, task_id: str) -> None:
    assert api.post(LOG, json=line(task_id, timestamp=None)).status_code == 200
    (found,) = logged(api, event_type="action_executed")
    age = datetime.now(UTC) - datetime.fromisoformat(found["timestamp"])
    assert timedelta(0) <= age < timedelta(minutes=1)


@pytest.fixture
def driven(api: ApiClient) -> str:
    """An order that the fleet drives."""
    body = payload()
    api.post(START, json=body)
    return str(body["task_id"])


def test_in_an_order_that_the_fleet_drives_no_line_is_dated_back(api: ApiClient, driven: str) -> None:
    now = datetime.now(UTC)
    for back, expected in ((timedelta(hours=2), 422), (timedelta(minutes=30), 200)):
        answer = api.post(LOG, json=line(driven, timestamp=(now - back).isoformat()))
        assert answer.status_code == expected
    assert len(logged(api, event_type="action_executed")) == 1


def test_a_line_that_is_dated_back_shows_when_it_was_written(api: ApiClient, task_id: str) -> None:
    api.post(LOG, json=line(task_id))
    (found,) = logged(api, event_type="action_executed")
    assert found["timestamp"].startswith("2026-03-13")
    assert datetime.now(UTC) - datetime.fromisoformat(found["created_at"]) < timedelta(hours=1)


@pytest.mark.parametrize(
    "event_type",
    ["personal_data_revealed", "review_decided", "contact_initiated", "task_closed", "approval_requested"],
)
def test_nobody_writes_a_line_that_reads_as_if_the_fleet_had(
    api: ApiClient, task_id: str, event_type: str
) -> None:
    answer = api.post(LOG, "audit_agent", json=line(task_id, event_type=event_type))
    assert answer.status_code == 422
    assert logged(api, event_type=event_type) == []


def test_every_type_that_the_fleet_writes_is_reserved(house: InProcessFleet) -> None:
    for words in (CANCEL, READY):
        order_run(house, answered(words))
    order_run(house, {"result": "no_answer"})
    types = Probe(house.database).values("SELECT DISTINCT event_type FROM audit_logs")
    assert len(types) > 5
    assert [one for one in types if not one.startswith(FLEETS_OWN)] == []


def test_a_line_of_an_unknown_order_is_not_taken(api: ApiClient) -> None:
    assert api.post(LOG, json=line("HT404")).status_code == 404


@pytest.mark.parametrize("agent", ["action_agent", "operator", "orchestrator"])
@pytest.mark.parametrize("path", [LOG, "/audit/log", ALERT])
def test_only_the_audit_agents_key_may_write(api: ApiClient, task_id: str, agent: str, path: str) -> None:
    assert api.post(path, agent, json=line(task_id)).status_code == 403


@pytest.mark.parametrize(
    "changes",
    [
        {"task_id": "x" * 33},
        {"event_type": ""},
        {"event_type": " "},
        {"event_type": "x" * 33},
        {"event_type": "a\x00b"},
        {"agent_id": None},
        {"agent_id": "x" * 33},
        {"action": "x" * 33},
        {"action": ""},
        {"timestamp": "2026-03-13T21:10:00"},
        {"timestamp": "0001-01-01T00:00:00Z"},
        {"timestamp": "2150-01-01T00:00:00Z"},
        {"metadata": {"a": "\x00"}},
        {"metadata": {"a\x00": 1}},
        {"metadata": {"n": 2**70}},
        {"metadata": {"a": "x" * 20_000}},
        {"metadata": []},
        {"severity": "info"},
    ],
)
def test_a_line_that_cannot_be_kept_is_refused(api: ApiClient, task_id: str, changes: dict[str, Any]) -> None:
    assert api.post(LOG, json=line(task_id) | changes).status_code == 422


@pytest.mark.parametrize(
    "metadata", ['{"a":"\\ud800"}', '{"a":1e400}', '{"a":' + "[" * 200 + "]" * 200 + "}", '{"\\udfff":1}']
)
def test_metadata_that_no_table_can_hold_is_refused(api: ApiClient, task_id: str, metadata: str) -> None:
    for path, given in ((LOG, line(task_id, metadata="#")), (ALERT, alert(task_id, metadata="#"))):
        body = as_json(given).replace('"#"', metadata)
        answer = api.post(path, content=body.encode(), headers={"Content-Type": "application/json"})
        assert answer.status_code in {400, 422}


def as_json(body: dict[str, Any]) -> str:
    return json.dumps(body, ensure_ascii=False)


@pytest.mark.parametrize(
    "metadata",
    [
        {"phone": "13800138000"},
        {"said": ["call 138 0013 8000 please"]},
        {"deep": {"phone_number": 13800138000}},
        {"13800138000": "the customer"},
        {"customer_phone": "+1 415 555 2671"},
    ],
)
def test_a_phone_number_is_neither_stored_nor_shown(
    api: ApiClient, task_id: str, metadata: dict[str, Any]
) -> None:
    assert api.post(LOG, json=line(task_id, metadata=metadata)).status_code == 200
    given = alert(task_id, metadata=metadata, message="客户 13800138000 投诉")
    assert api.post(ALERT, json=given).status_code == 200
    with api.house.database.transaction() as work:
        kept = str([*OrderView(work).audit_lines(task_id), *Alerts(work).of_task(task_id)])
    shown = api.get(LOGS).text
    for number in ("13800138000", "138 0013 8000", "415 555 2671"):
        assert number not in kept + shown


def test_an_alert_waits_for_the_role_its_type_goes_to(api: ApiClient, task_id: str) -> None:
    answer = api.post(ALERT, "audit_agent", json=alert(task_id))
    assert answer.status_code == 200
    body = answer.json()
    assert body == {
        "success": True,
        "alert_id": body["alert_id"],
        "escalated_to": "quality_inspector",
        "status": "pending_review",
    }
    with api.house.database.transaction() as work:
        (kept,) = Alerts(work).of_task(task_id)
    assert kept["alert_id"] == body["alert_id"]
    assert kept["metadata"].items() >= {"confidence": 0.45, "raised_by": "audit_agent"}.items()


@pytest.mark.parametrize(
    ("changes", "role"),
    [
        ({"alert_type": "never_heard_of"}, "quality_inspector"),
        ({"alert_type": "complaint", "severity": "info"}, "customer_care"),
        ({"severity": "critical"}, "duty_manager"),
    ],
)
def test_who_looks_at_an_alert_follows_from_its_type_and_severity(
    api: ApiClient, task_id: str, changes: dict[str, Any], role: str
) -> None:
    assert api.post(ALERT, json=alert(task_id, **changes)).json()["escalated_to"] == role


def test_an_alert_leaves_a_line_in_the_orders_log(api: ApiClient, task_id: str) -> None:
    alert_id = api.post(ALERT, "audit_agent", json=alert(task_id)).json()["alert_id"]
    (found,) = logged(api, event_type="alert_raised")
    assert (found["agent_id"], found["action"]) == ("audit_agent", "low_confidence")
    assert found["metadata"]["alert_id"] == alert_id


def test_an_alert_may_be_about_no_order_and_never_about_an_unknown_one(api: ApiClient) -> None:
    assert api.post(ALERT, json=alert(None)).status_code == 200
    assert api.post(ALERT, json=alert("HT404")).status_code == 404


@pytest.mark.parametrize(
    "changes",
    [{"severity": "urgent"}, {"message": ""}, {"message": "x" * 501}, {"alert_type": ""}, {"who": "me"}],
)
def test_an_alert_that_says_too_little_or_too_much_is_refused(
    api: ApiClient, task_id: str, changes: dict[str, Any]
) -> None:
    assert api.post(ALERT, json=alert(task_id, **changes)).status_code == 422


def test_lines_are_found_by_what_they_say(api: ApiClient, task_id: str) -> None:
    other = payload()
    api.post(START, json=other)
    api.post(LOG, json=line(task_id))
    api.post(LOG, json=line(task_id, action="cancel_order", agent_id="contact_agent"))
    assert {found["task_id"] for found in logged(api, task_id=task_id)} == {task_id}
    assert [found["action"] for found in logged(api, agent_id="contact_agent")] == ["cancel_order"]
    assert len(logged(api, event_type="action_executed", action="schedule_followup")) == 1
    assert logged(api, task_id="HT404") == []


def test_a_span_of_time_holds_its_beginning_and_not_its_end(api: ApiClient, task_id: str) -> None:
    for hour in range(3):
        api.post(LOG, json=line(task_id, timestamp=f"2026-03-13T0{hour}:00:00Z", action=str(hour)))
    span = {"from": "2026-03-13T00:00:00Z", "to": "2026-03-13T02:00:00Z"}
    assert [found["action"] for found in logged(api, **span)] == ["1", "0"]


def test_pages_together_are_the_whole_log_once_though_lines_come_in_between(
    api: ApiClient, task_id: str
) -> None:
    for number in range(7):
        # Three at each moment: the order they were written in tells them apart.
        api.post(LOG, json=line(task_id, timestamp=f"2026-03-13T0{number // 3}:00:00Z", action=str(number)))
    whole = logged(api, task_id=task_id)
    found: list[dict[str, Any]] = []
    cursor = None
    while True:
        wanted = {"task_id": task_id, "limit": 2} | ({"cursor": cursor} if cursor else {})
        page = api.get(LOGS, params=wanted).json()
        found += page["logs"]
        cursor = page["next_cursor"]
        if cursor is None:
            break
        api.post(LOG, json=line(task_id, timestamp=None))
    assert found == whole
    assert [one["action"] for one in whole][-7:] == list("6543210")


@pytest.mark.parametrize(
    "cursor", ["x", "", "MjAyNi0wMy0xM1QwMDowMDowMFogYQ", "MjAyNi0wMy0xM1QwMDowMDowMCswMDowMCBh"]
)
def test_a_cursor_that_was_never_given_out_is_refused(api: ApiClient, cursor: str) -> None:
    assert api.get(LOGS, params={"cursor": cursor}).status_code == 422


@pytest.mark.parametrize(
    "wanted", [{"limit": 0}, {"limit": 501}, {"from": "2026-03-13"}, {"event_type": "a\x00"}]
)
def test_a_search_that_makes_no_sense_is_refused(api: ApiClient, wanted: dict[str, Any]) -> None:
    assert api.get(LOGS, params=wanted).status_code == 422
