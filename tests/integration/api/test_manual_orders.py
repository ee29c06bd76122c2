"""Manual mode: outside agents perform each step over the API, through the same claim and record as the fleet."""

from datetime import timedelta
from typing import Any

import pytest

from storage.access.keys import Keys
from storage.access.system_audit import SystemAudit
from storage.engine.clock import BusinessClock
from tests.support.api.client import ApiClient, Call, key_of
from tests.support.api.outside_agents import (
    SILENT,
    START,
    begun,
    classified,
    contacted,
    contacts_of,
    executed,
    moved,
    said,
    state,
)
from tests.support.waiting import wait_until

CONTACT: dict[str, Any] = {
    "task_id": "HT20260313001",
    "contact_method": "phone",
    "phone_number": "138****0000",
    "script_id": "pending_task_v1",
    "attempt": 1,
}
CLASSIFY: dict[str, Any] = {
    "task_id": "HT20260313001",
    "user_input": "配件还没到,等配件到了再说",
    "context": {"order_type": "未上门", "contact_count": 1},
}
EXECUTE: dict[str, Any] = {
    "task_id": "HT20260313001",
    "action_type": "schedule_followup",
    "action_params": {"followup_date": "2026-03-16T10:00:00Z", "reason": "配件未到"},
    "requires_approval": False,
}
LOG: dict[str, Any] = {
    "task_id": "HT20260313001",
    "event_type": "task_completed",
    "agent_id": "action_agent",
    "action": "schedule_followup",
    "timestamp": "2026-03-13T21:10:00Z",
    "metadata": {"final_state": "waiting_followup", "confidence": 0.95},
}


def test_the_seeds_five_calls_work_as_printed(manual: ApiClient) -> None:
    start = manual.post("/agents/orchestrator/tasks/start", "orchestrator", json=START)
    assert start.json() == {
        "success": True,
        "task_id": "HT20260313001",
        "status": "contacting",
        "next_action": "contact_user",
        "assigned_agent": "contact_agent",
    }
    contact = manual.post("/agents/contact/initiate", "contact_agent", json=CONTACT)
    assert contact.status_code == 200, contact.text
    assert contact.json()["success"] is True
    assert contact.json()["contact_id"].startswith("CONT")
    classified = manual.post("/agents/triage/classify", "triage_agent", json=CLASSIFY)
    assert classified.status_code == 200, classified.text
    assert classified.json()["classification"]["level2_intent"] == "配件未到"
    assert classified.json()["suggested_action"] == "schedule_followup"
    assert classified.json()["followup_days"] == 3
    executed = manual.post("/agents/actions/execute", "action_agent", json=EXECUTE)
    assert executed.status_code == 200, executed.text
    assert executed.json()["status"] == "executed"
    assert executed.json()["result"]["followup_scheduled"] is True
    logged = manual.post("/agents/audit/log", "audit_agent", json=LOG)
    assert logged.status_code == 200, logged.text
    assert logged.json()["stored"] is True
    assert manual.get("/states/HT20260313001").json()["current_state"] == "waiting_followup"


def test_the_fleet_does_not_touch_a_manual_order(manual: ApiClient) -> None:
    task_id = begun(manual)
    manual.house.tick.sweep()
    assert state(manual, task_id) == "contacting"
    assert [step["state"] for step in manual.house.steps(task_id)] == ["done", "done", "offered"]


def test_the_same_contact_called_for_twice_is_made_once(manual: ApiClient) -> None:
    task_id = begun(manual, "HT1", said("可以上门"))
    first, again = contacted(manual, task_id, attempt=1), contacted(manual, task_id, attempt=1)
    assert first.json()["transcript"] == "可以上门"
    assert again.json() == first.json()


def calls_for_contact(caller: ApiClient, task_id: str, **changes: Any) -> Call:
    body = {"task_id": task_id, "contact_method": "phone"} | changes
    return caller.prepare("POST", "/agents/contact/initiate", "contact_agent", json=body)


def test_callers_at_the_same_moment_share_one_contact(manual: ApiClient) -> None:
    task_id = begun(manual, "HT1", said("可以上门"))
    answers = manual.at_once([calls_for_contact(manual, task_id, attempt=1)] * 8)
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.json()["contact_id"] for answer in answers}) == 1
    assert len(contacts_of(manual, task_id)) == 1


@pytest.mark.parametrize("second", [{"attempt": 2}, {}])
def test_callers_at_the_same_moment_share_the_way_to_the_next_attempt(
    manual: ApiClient, second: dict[str, int]
) -> None:
    task_id = begun(manual, "HT1", SILENT)
    contacted(manual, task_id, attempt=1)
    answers = manual.at_once([calls_for_contact(manual, task_id, **second)] * 8)
    assert [answer.status_code for answer in answers] == [200] * 8
    assert len({answer.json()["contact_id"] for answer in answers}) == 1
    assert [contact.contact_no for contact in contacts_of(manual, task_id)] == [1, 2]


def test_the_next_attempt_begins_on_the_way_to_it(manual: ApiClient) -> None:
    task_id = begun(manual, "HT1", SILENT, said("可以上门"))
    assert contacted(manual, task_id, attempt=1).json()["result"] == "no_answer"
    assert state(manual, task_id) == "no_response"
    second = contacted(manual, task_id, attempt=2, contact_method="sms")
    assert second.json()["result"] == "answered"
    assert manual.house.events(task_id)[-3:] == ["user.no_answer", "contact.retry", "user.responded"]


def test_an_attempt_out_of_turn_is_refused(manual: ApiClient) -> None:
    task_id = begun(manual)
    answer = contacted(manual, task_id, attempt=3)
    assert answer.status_code == 409
    assert answer.json()["error"]["details"]["current_state"] == "contacting"


def test_whether_a_number_is_the_right_one_is_told_to_nobody_and_each_is_on_record(manual: ApiClient) -> None:
    task_id = begun(manual, "HT1", said("可以上门"))
    numbers = ["13912345678", "138****0000", "15000000000"]
    answers = [contacted(manual, task_id, phone_number=number) for number in numbers]
    assert {answer.status_code for answer in answers} == {200}
    assert {answer.text for answer in answers} == {answers[0].text}
    with manual.house.database.transaction() as work:
        lines = SystemAudit(work).recent(what="contact_number_given")
    assert [line.detail["task_id"] for line in lines] == [task_id] * 3
    assert all(number not in str(lines) for number in numbers)
    assert {line.key_id for line in lines} != {None}


def test_what_the_customer_said_is_answered_to_who_made_the_contact_alone(manual: ApiClient) -> None:
    with manual.house.database.transaction() as work:
        Keys(work).register(key_of("another"), "another", ["contact", "read"])
    task_id = begun(manual, "HT1", said("可以上门"))
    body = {"task_id": task_id, "contact_method": "phone", "attempt": 1}
    made = manual.post("/agents/contact/initiate", "contact_agent", json=body).json()
    repeated = manual.post("/agents/contact/initiate", "contact_agent", json=body).json()
    anothers = manual.post("/agents/contact/initiate", "another", json=body).json()
    assert (made["transcript"], repeated["transcript"]) == ("可以上门", "可以上门")
    assert anothers == made | {"transcript": None, "recording_url": None}


def test_of_a_contact_made_without_us_nobody_is_answered_the_words(manual: ApiClient) -> None:
    task_id = begun(manual, "HT1", said("可以上门"))
    record = {
        "task_id": task_id,
        "contact_id": "CONT-of-theirs",
        "result": "answered",
        "raw_transcript": "明天可以来",
        "contact_time": "2026-03-13T10:00:00Z",
    }
    assert manual.post("/agents/contact/result/record", "contact_agent", json=record).status_code == 200
    body = {"task_id": task_id, "contact_method": "phone", "attempt": 1}
    for _ in range(2):
        answer = manual.post("/agents/contact/initiate", json=body)
        assert "明天可以来" not in answer.text


def test_a_caller_who_would_rather_poll_gets_a_dispatch_to_ask_for(manual: ApiClient) -> None:
    task_id = begun(manual, "HT1", said("可以上门"))
    body = {"task_id": task_id, "contact_method": "phone"}
    answer = manual.post(
        "/agents/contact/initiate", "contact_agent", json=body, headers={"Prefer": "respond-async"}
    )
    assert answer.status_code == 202
    assert answer.headers["Location"] == answer.json()["poll"]
    poll = answer.json()["poll"].removeprefix("/v1")
    wait_until(lambda: manual.get(poll).json()["status"] == "done")
    assert manual.get(poll).json()["target_agent"] == "contact_agent"
    assert contacted(manual, task_id).json()["transcript"] == "可以上门"


def test_a_contact_made_without_us_is_recorded_and_counts(manual: ApiClient) -> None:
    task_id = begun(manual)
    record = {
        "contact_id": "CONT001",
        "task_id": task_id,
        "result": "answered",
        "user_feedback": "配件未到,等配件到了再约",
        "raw_transcript": "客户说配件还没到, 到了再约",
        "contact_time": "2026-03-13T21:05:00Z",
    }
    answer = manual.post("/agents/contact/result/record", "contact_agent", json=record)
    assert answer.json() == {
        "success": True,
        "recorded": True,
        "next_step": "triage_classify",
        "outcome": "applied",
    }
    again = manual.post("/agents/contact/result/record", "contact_agent", json=record)
    assert again.json()["outcome"] == "repeated"
    assert classified(manual, task_id).json()["classification"]["level2_intent"] == "配件未到"


def test_an_action_that_the_intent_does_not_lead_to_is_refused(manual: ApiClient) -> None:
    task_id = begun(manual, "HT1", said("配件还没到，等配件到了再说"))
    contacted(manual, task_id)
    classified(manual, task_id)
    answer = executed(manual, task_id, "cancel_order")
    assert answer.status_code == 409
    assert "schedule_followup" in answer.json()["error"]["message"]


def test_an_action_is_carried_out_once_and_answers_other_parameters_with_a_conflict(
    manual: ApiClient,
) -> None:
    task_id = begun(manual, "HT1", said("配件还没到，等配件到了再说"))
    contacted(manual, task_id)
    classified(manual, task_id)
    given = {"action_params": {"followup_date": "2099-03-16T10:00:00Z"}}
    first = executed(manual, task_id, "schedule_followup", **given)
    assert executed(manual, task_id, "schedule_followup", **given).json() == first.json()
    other = {"action_params": {"followup_date": "2099-03-17T10:00:00Z"}}
    assert executed(manual, task_id, "schedule_followup", **other).status_code == 409


def test_an_action_that_needs_approval_waits_for_a_person(manual: ApiClient) -> None:
    task_id = begun(manual, "HT1", said("师傅可以过来了，我这两天都在家。"))
    contacted(manual, task_id)
    classified(manual, task_id)
    asked = executed(manual, task_id, "update_appointment", requires_approval=True).json()
    assert asked["status"] == "pending_approval"
    assert executed(manual, task_id, "update_appointment").status_code == 409
    review = asked["result"]["review_id"]
    decision = {"decision": "classify", "intent_level2": "可上门", "reason": "同意"}
    assert manual.post(f"/reviews/{review}/decide", "operator", json=decision).status_code == 200
    done = executed(manual, task_id, "update_appointment", requires_approval=True).json()
    assert done["status"] == "executed"


def test_transitions_drive_what_the_orchestrator_would(manual: ApiClient) -> None:
    task_id = begun(manual)
    assert moved(manual, task_id, "contacting", "user.no_answer", "no_response").status_code == 200
    assert moved(manual, task_id, "no_response", "contact.max_reached", "closed").status_code == 409
    retried = moved(manual, task_id, "no_response", "contact.retry", "contacting")
    assert retried.json()["current_state"] == "contacting"
    answered = moved(manual, task_id, "contacting", "user.responded", "responded", transcript="可以上门")
    assert answered.status_code == 200
    complete = moved(
        manual, task_id, "responded", "triage.complete", "classified", level2_intent="可上门", confidence=0.93
    )
    assert complete.json()["current_state"] == "classified"
    acted = moved(manual, task_id, "classified", "action.execute", "action_taken")
    assert acted.json()["current_state"] == "action_taken"
    ended = moved(manual, task_id, "action_taken", "intent=继续", "closed")
    assert ended.json()["current_state"] == "closed"
    assert state(manual, task_id) == "closed"


def test_a_follow_up_is_begun_by_its_caller_once_it_is_due(manual: ApiClient) -> None:
    task_id = begun(manual, "HT1", said("配件还没到，等配件到了再说"))
    contacted(manual, task_id)
    classified(manual, task_id)
    executed(manual, task_id, "schedule_followup")
    source, event, target = "waiting_followup", "followup.time_reached", "contacting"
    assert moved(manual, task_id, source, event, target).status_code == 409
    with manual.house.database.transaction() as work:
        BusinessClock(work).set(BusinessClock(work).now().business_now + timedelta(days=3, hours=1))
    assert moved(manual, task_id, source, event, target).json()["current_state"] == "contacting"


def test_a_caller_who_vanishes_leaves_a_question_to_a_person(manual: ApiClient) -> None:
    task_id = begun(manual)
    with manual.house.database.transaction() as work:
        BusinessClock(work).set(BusinessClock(work).now().business_now + timedelta(days=2))
    wait_until(lambda: bool(manual.get(f"/reviews?task_id={task_id}").json()["reviews"]))
    review = manual.get(f"/reviews?task_id={task_id}").json()["reviews"][0]
    assert review["reason"] == "caller_vanished"


def test_an_order_the_fleet_drives_answers_what_the_fleet_did(manual: ApiClient) -> None:
    task_id = begun(manual, "HT1", said("师傅可以过来了，我这两天都在家。"), mode="auto")
    contact = contacted(manual, task_id, attempt=1)
    assert contact.json()["transcript"] == "师傅可以过来了，我这两天都在家。"
    assert classified(manual, task_id).json()["suggested_action"] == "update_appointment"
    assert classified(manual, task_id, user_input="不要了").status_code == 409
    assert executed(manual, task_id, "update_appointment").json()["status"] == "executed"
    wait_until(lambda: state(manual, task_id) == "closed")
    assert executed(manual, task_id, "cancel_order").status_code == 409


def test_an_agent_without_permission_has_no_action_carried_out(manual: ApiClient) -> None:
    body = {"task_id": begun(manual), "action_type": "cancel_order"}
    with manual.house.database.transaction() as work:
        Keys(work).register("key-of-stranger", "stranger", ["actions"])
    answer = manual.post("/agents/actions/execute", "stranger", json=body)
    assert answer.status_code == 403


def test_a_paused_order_takes_no_call(manual: ApiClient) -> None:
    task_id = begun(manual)
    run_id = manual.house.order(task_id).run_id
    with manual.house.engine.transaction() as transaction:
        transaction.pause([run_id])
    answer = contacted(manual, task_id)
    assert answer.status_code == 409
    assert "paused" in answer.json()["error"]["message"]


def test_tools_are_called_in_the_seeds_envelope(manual: ApiClient) -> None:
    task_id = begun(manual, "HT1", said("配件还没到，等配件到了再说"))
    body = {
        "tool_name": "contact_user",
        "tool_version": "1.0",
        "input": {"task_id": task_id, "phone": "138****0000", "script": "pending_task_v1"},
        "timeout_ms": 30000,
        "retry_policy": {"max_retries": 2, "retry_delay_ms": 1000},
    }
    answer = manual.post("/tools/contact_user/call", "contact_agent", json=body)
    assert answer.json()["output"]["contact_result"] == "answered"
    assert answer.json()["execution_time_ms"] >= 0
    words = {"input": {"text": "配件还没到，等配件到了再说"}}
    understood = manual.post("/tools/classify_intent/call", "triage_agent", json=words)
    assert understood.json()["output"]["classification"]["level2_intent"] == "配件未到"
    assert manual.post("/tools/classify_intent/call", "contact_agent", json=words).status_code == 403


def test_what_a_tool_does_not_take_is_named_as_a_field_of_the_tool(manual: ApiClient) -> None:
    answer = manual.post("/tools/send_sms/call", json={"input": {"task_id": "HT1", "colour": "red"}})
    assert answer.json()["error"]["details"]["fields"] == [
        {"field": "input.colour", "message": "is not a field of this tool"}
    ]


def test_a_dispatch_passes_the_waiting_step_on_without_waiting(manual: ApiClient) -> None:
    task_id = begun(manual, "HT1", said("配件还没到，等配件到了再说"))
    contacted(manual, task_id)
    classified(manual, task_id)
    body = {
        "task_id": task_id,
        "target_agent": "action_agent",
        "action_type": "schedule_followup",
        "action_params": {"followup_date": "2026-03-16T10:00:00Z", "reason": "用户配件未到"},
    }
    answer = manual.post("/agents/orchestrator/tasks/dispatch", "orchestrator", json=body)
    assert answer.json()["status"] == "dispatched"
    wait_until(lambda: state(manual, task_id) == "waiting_followup")
    again = manual.post("/agents/orchestrator/tasks/dispatch", "orchestrator", json=body)
    assert again.json() == answer.json() | {"status": "already_done"}


def test_the_last_line_of_the_audit_agent_closes_the_order(manual: ApiClient) -> None:
    task_id = begun(manual, "HT1", said("师傅可以过来了，我这两天都在家。"))
    contacted(manual, task_id)
    classified(manual, task_id)
    executed(manual, task_id, "update_appointment")
    assert state(manual, task_id) == "action_taken"
    manual.post("/agents/audit/log", "audit_agent", json={**LOG, "task_id": task_id})
    wait_until(lambda: state(manual, task_id) == "closed")
    assert manual.house.order(task_id).finish_reason == "visit_arranged"


def test_a_contact_called_for_before_the_agreed_time_begins_no_round(manual: ApiClient) -> None:
    task_id = begun(manual, "HT1", said("配件还没到，等配件到了再说"))
    contacted(manual, task_id)
    classified(manual, task_id)
    executed(manual, task_id, "schedule_followup")
    assert contacted(manual, task_id, attempt=2).status_code == 409
    assert state(manual, task_id) == "waiting_followup"


def following_up(caller: ApiClient, *script: dict[str, Any]) -> str:
    """An order whose customer postponed, and whose follow-up is due."""
    task_id = begun(caller, "HT1", said("配件还没到，等配件到了再说"), *script)
    contacted(caller, task_id, attempt=1)
    classified(caller, task_id)
    executed(caller, task_id, "schedule_followup", action_params={"followup_date": "2026-03-16T10:00:00Z"})
    return task_id


@pytest.mark.parametrize("first", [{"attempt": 1}, {}])
def test_once_the_follow_up_is_due_the_first_attempt_is_that_of_the_next_round(
    manual: ApiClient, first: dict[str, int]
) -> None:
    task_id = following_up(manual, said("师傅可以过来了，我这两天都在家。"))
    following = contacted(manual, task_id, **first)
    assert following.json()["transcript"] == "师傅可以过来了，我这两天都在家。"
    assert manual.house.order(task_id).round == 2
    assert contacted(manual, task_id, attempt=1).json() == following.json()
    assert [contact.round for contact in contacts_of(manual, task_id)] == [1, 2]


def test_callers_at_the_same_moment_begin_one_round_with_one_contact(manual: ApiClient) -> None:
    task_id = following_up(manual, said("师傅可以过来了，我这两天都在家。"))
    answers = manual.at_once([calls_for_contact(manual, task_id, attempt=1)] * 8)
    assert [answer.status_code for answer in answers] == [200] * 8
    assert len({answer.json()["contact_id"] for answer in answers}) == 1
    assert [contact.round for contact in contacts_of(manual, task_id)] == [1, 2]


def test_the_second_attempt_of_a_round_that_is_over_is_still_answered(manual: ApiClient) -> None:
    task_id = begun(manual, "HT1", SILENT, said("配件还没到，等配件到了再说"))
    contacted(manual, task_id, attempt=1)
    second = contacted(manual, task_id, attempt=2)
    classified(manual, task_id)
    executed(manual, task_id, "schedule_followup", action_params={"followup_date": "2026-03-16T10:00:00Z"})
    assert contacted(manual, task_id, attempt=2).json() == second.json()
    assert manual.house.order(task_id).round == 1


def test_a_classification_of_little_confidence_is_made_and_goes_to_a_person(manual: ApiClient) -> None:
    task_id = begun(manual, "HT1", said("师傅可以过来了，我这两天都在家。"))
    contacted(manual, task_id)
    given = {"level2_intent": "可上门", "confidence": 0.3}
    answer = moved(manual, task_id, "responded", "triage.complete", "classified", **given)
    assert answer.status_code == 409
    assert state(manual, task_id) == "responded"
