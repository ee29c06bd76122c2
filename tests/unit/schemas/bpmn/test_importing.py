"""Each row of the element table of docs/bpmn.md, by a file for each."""

import re
from pathlib import Path
from typing import Any

import pytest

from runtime.settings import PROJECT
from schemas.core.bpmn.exporting import export_bpmn
from schemas.core.bpmn.importing import ImportedDefinition, import_bpmn
from schemas.core.bpmn.problems import RejectedBpmn

FILES = Path(__file__).parent / "files"
PAGE = (PROJECT / "docs" / "bpmn.md").read_text(encoding="utf-8")
KEY = "${order.id}"


def imported(name: str) -> ImportedDefinition:
    """The only definition of a file."""
    (found,) = import_bpmn((FILES / f"{name}.bpmn").read_bytes()).definitions
    return found


def steps(name: str) -> dict[str, dict[str, Any]]:
    """The steps of a file in which nothing is open, by their ids."""
    found = imported(name)
    assert found.ready, found.open_points
    return {step["id"]: {**step} for step in found.body["steps"]}


def nexts(name: str) -> dict[str, Any]:
    return {each: step.get("next") for each, step in steps(name).items()}


def test_a_process_is_a_definition() -> None:
    body = imported("process.shipping").body
    assert (body["workflow"], body["version"], body["title"]) == ("process_shipping", "2.1", "发货")
    assert nexts("process.shipping") == {"start": "pack", "pack": "done", "done": None}
    assert steps("process.shipping")["pack"]["title"] == "打包"


def test_a_global_task_is_a_definition_of_one_step() -> None:
    body = imported("global_task").body
    assert body["steps"] == [
        {"id": "approve_task", "type": "human", "title": "批准", "decisions": {"done": "end"}}
    ]


def test_the_processes_of_a_file_are_a_bundle() -> None:
    found = import_bpmn((FILES / "bundle.bpmn").read_bytes())
    assert [each.body["workflow"] for each in found.definitions] == ["first", "second"]
    assert [each.flow_nodes for each in found.definitions] == [3, 1]


def test_processes_that_would_have_one_name_are_refused() -> None:
    text = (FILES / "bundle.bpmn").read_text(encoding="utf-8")
    with pytest.raises(RejectedBpmn, match="several processes would be the workflow 'a_b'"):
        import_bpmn(text.replace('id="first"', 'id="a.b"').replace('id="second"', 'id="a_b"').encode())


def test_a_start_event_with_a_trigger_begins_runs() -> None:
    assert imported("start_by_message").body["triggers"] == [{"message": "refund.asked"}]
    assert steps("start_by_message")["by_message"] == {"id": "by_message", "type": "pass", "next": "look"}


def test_several_start_events_are_told_apart_by_a_gateway() -> None:
    body = imported("start_events").body
    assert body["triggers"] == [
        {"message": "refund.asked", "parameters": {"started_by": "by_message", "event": "${event}"}},
        {"signal": "storm", "parameters": {"started_by": "by_signal", "event": "${event}"}},
        {
            "schedule": {"cron": "*/15 * * * *"},
            "parameters": {"started_by": "by_time", "event": "${event}"},
        },
    ]
    gateway = steps("start_events")["start_events_starts"]
    assert gateway["else"] == "start"
    assert [each["to"] for each in gateway["next"]] == ["by_message", "by_signal", "by_time"]


def test_user_and_manual_tasks_are_questions() -> None:
    found = steps("human_tasks")
    assert found["approve"]["assign"] == {"role": "reviewer"}
    assert found["approve"]["form"] == {
        "properties": {"amount": {"type": "integer", "title": "Amount"}},
        "required": ["amount"],
    }
    assert found["approve"]["decisions"] == {"done": "carry"}
    assert found["carry"]["assign"] == {"person": "${order.engineer}"}


def test_tasks_are_work_of_whom_they_are_bound_to() -> None:
    found = steps("work_tasks")
    assert found["bill"] == {
        "id": "bill",
        "agent": {"capability": "billing"},
        "retry": {"max_retries": 3},
        "parameters": {"bill": {"sum": "${order.total * 1.08}"}, "headers": {"unit": "CNY"}},
        "save": {"bill_number": "${number}"},
        "next": "rate",
    }
    assert found["rate"]["agent"] == {"capability": "rating"}
    assert found["rate"]["parameters"] == {"sku": "${item.sku}"}
    assert found["plain"] == {"id": "plain", "agent": "audit", "action": "check", "next": "done"}


def test_a_send_task_with_a_message_emits_it() -> None:
    assert steps("send_task")["tell"] == {"id": "tell", "type": "emit", "message": "order.paid"}


def test_a_receive_task_waits_for_its_message() -> None:
    waited = {"message": "order.paid", "key": KEY, "next": "ship"}
    assert steps("receive_task")["paid"] == {"id": "paid", "type": "wait", "events": [waited]}


def test_a_script_that_we_can_say_sets_a_variable() -> None:
    assert steps("script_task")["sum"]["set"] == {"total": "${price * qty}"}
    assert imported("script_task").body["variables"] == {"total": None}


def test_an_exclusive_gateway_takes_one_branch() -> None:
    found = steps("exclusive_gateway")
    assert found["large"] == {
        "id": "large",
        "type": "gateway",
        "title": "Large?",
        "condition": "total > 100 and vip == true",
        "next": "big",
        "else": "small",
    }
    assert found["merged"]["next"] == [{"to": "done"}]


def test_an_inclusive_gateway_takes_branches_and_joins_them() -> None:
    found = steps("inclusive_gateway")
    assert found["whom"]["next"] == [
        {"if": "mail != null", "to": "letter"},
        {"if": "phone != null and not quiet", "to": "call"},
    ]
    assert (found["whom"]["else"], found["told"]["join"]) == ("note", "all")


def test_a_parallel_gateway_parts_and_joins() -> None:
    found = steps("parallel_gateway")
    assert found["both"]["next"] == ["stock", "payment"]
    assert found["ready"] == {
        "id": "ready", "type": "gateway", "mode": "parallel", "join": "all", "next": "done",
    }  # fmt: skip


def test_an_event_gateway_waits_for_the_first_of_its_events() -> None:
    found = steps("event_gateway")
    assert found["first"]["events"] == [
        {"message": "order.paid", "key": KEY, "next": "paid"},
        {"timer": "P3D", "next": "late"},
        {"message": "order.cancelled", "key": KEY, "next": "cancelled"},
    ]
    assert found["late"] == {"id": "late", "type": "pass", "next": "remind"}


def test_a_conditional_flow_is_a_branch_behind_a_step() -> None:
    ways = ["audit", {"if": "broken", "to": "repair"}, {"to": "close"}]
    assert steps("conditional_flow")["check"]["next"] == ways


def test_catching_events_wait() -> None:
    events = {each: step["events"] for each, step in steps("catch_events").items() if "events" in step}
    assert events == {
        "paid": [{"message": "order.paid", "key": KEY, "next": "calm"}],
        "calm": [{"signal": "storm.over", "next": "night"}],
        "night": [{"timer": "${order.night}", "next": "enough"}],
        "enough": [{"condition": "stock > 3", "next": "either"}],
        "either": [
            {"message": "order.paid", "key": KEY, "next": "done"},
            {"timer": "PT1H", "next": "done"},
        ],
    }


def test_throwing_events_send() -> None:
    found = steps("throw_events")
    assert found["mark"] == {"id": "mark", "type": "pass", "next": "tell"}
    assert found["tell"] == {"id": "tell", "type": "emit", "message": "order.paid", "next": "warn"}
    assert found["warn"]["signal"] == "storm"
    assert found["undo"] == {"id": "undo", "type": "compensate", "next": "done"}


def test_a_link_leads_to_the_event_that_catches_it() -> None:
    assert nexts("link_events") == {"start": "away", "away": "here", "here": "work", "work": None}


def test_events_at_a_border_break_in_upon_their_host() -> None:
    assert steps("boundary_events")["pay"]["on"] == [
        {"error": ["expired"], "next": "sorry"},
        {"error": "*", "next": "sorry"},
        {"timer": "PT2H", "interrupts": False, "next": "remind"},
        {"message": "order.paid", "key": KEY, "next": "sorry"},
        {"signal": "storm", "next": "sorry"},
        {"condition": "stock == 0", "next": "sorry"},
    ]


def test_an_event_sub_process_is_a_scope_that_breaks_in() -> None:
    body = imported("event_sub_process").body
    assert body["on"] == [{"message": "order.paid", "key": KEY, "interrupts": False, "next": "stopping"}]
    found = steps("event_sub_process")
    assert [step["id"] for step in found["stopping"]["steps"]] == ["tidy"]
    assert found["inner"]["on"] == [{"error": "*", "next": "failing"}]
    assert found["failing"]["next"] == "after"


def test_end_events_end_each_in_its_way() -> None:
    found = steps("end_events")
    assert found["done"] == {"id": "done", "type": "end"}
    assert found["told"] == {"id": "told", "type": "emit", "message": "order.paid", "next": "end"}
    assert found["warned"]["signal"] == "storm"
    assert found["failed"] == {"id": "failed", "type": "end", "error": "lost"}
    assert found["raised"] == {"id": "raised", "type": "end", "escalation": "late"}
    assert found["undone"] == {"id": "undone", "type": "compensate", "next": "end"}
    assert found["stopped"] == {"id": "stopped", "type": "end", "terminate": True}


def test_a_sub_process_is_a_scope() -> None:
    trip = steps("sub_process")["trip"]
    assert (trip["type"], trip["title"], trip["next"]) == ("scope", "旅行", "done")
    assert [step["id"] for step in trip["steps"]] == ["begin", "flight", "arrived"]


def test_a_call_begins_a_workflow() -> None:
    found = steps("call_activity")
    assert found["call"] == {"id": "call", "type": "workflow", "workflow": "shop_pricing", "next": "again"}
    assert found["again"]["workflow"] == "quoting"
    assert found["again"]["parameters"] == {"sku": "${sku}"}


def test_a_standard_loop_repeats() -> None:
    assert steps("standard_loop")["poll"]["repeat"] == {"while": "state == 'open'", "max": 10}


def test_a_multi_instance_loop_goes_over_a_collection() -> None:
    loops = {each: step["for_each"] for each, step in steps("multi_instance").items() if "for_each" in step}
    assert loops == {
        "restock": {"in": "${order.items}", "as": "each", "until": "full"},
        "weigh": {"in": "${parcels}", "as": "parcel", "mode": "sequential"},
        "ring": {"in": [0, 1, 2]},
    }


def test_a_compensation_event_names_what_undoes() -> None:
    found = steps("compensation")
    assert (found["book"]["compensate"], found["undo"]["for"]) == ("unbook", "book")


def test_a_lane_is_the_lane_of_its_steps_and_the_role_of_its_questions() -> None:
    found = steps("lanes")
    assert {each: step["lane"] for each, step in found.items()} == {
        "start": "客服", "ask": "客服", "pack": "back office", "done": "back office",
    }  # fmt: skip
    assert found["ask"]["assign"] == {"role": "客服"}


def test_what_nothing_runs_by_is_kept_and_noted() -> None:
    found = import_bpmn((FILES / "only_kept.bpmn").read_bytes())
    noted = {note.message.partition(">")[0].strip("<") for note in found.notes}
    assert noted == {
        "dataObject", "dataObjectReference", "textAnnotation", "association", "collaboration", "cost",
    }  # fmt: skip
    text = export_bpmn(found.definitions[0].body).decode()
    for kept in ("写给自己", 'shop:colour="red"', ">12</shop:cost>", "messageFlow", 'x="10"'):
        assert kept in text


def test_what_is_open_is_told_with_its_line_and_element() -> None:
    found = imported("open_points")
    assert not found.ready
    lines = (FILES / "open_points.bpmn").read_text(encoding="utf-8").splitlines()
    told = {(point.element, point.message.partition(";")[0]) for point in found.open_points}
    assert told >= {
        ("open_points", "the process is not meant to be carried out (isExecutable=false)"),
        ("by_condition", "a condition begins no run"),
        ("unbound", "no work is bound to the task"),
        ("foreign", "the script in javascript is never run"),
        ("split", "the condition '= some x in items satisfies x' says nothing that our expressions say"),
        ("split", "the flow 'f_split_timeless' has no condition"),
        ("nameless", "the signal event has no name"),
        ("timeless", "the timer has no time"),
        ("keyless", "the message 'order.paid' has no key by which its receiver is found"),
        ("endless", "the loop has no bound"),
        ("nowhere", "no process is called"),
        ("raised", "only the end of a branch reports an escalation"),
        ("counted", "how often ('= n') is calculated"),
    }
    for point in found.open_points:
        if point.line is not None:
            assert f'id="{point.element}"' in lines[point.line - 1]


def test_every_row_of_the_page_names_a_test_that_is_there() -> None:
    table = PAGE.partition("## Elements")[2].partition("\n## ")[0]
    named = set(re.findall(r"`(test_\w+)`", table))
    rows = re.findall(r"^\| .* \|$", table, re.MULTILINE)[1:]
    assert all("`test_" in row for row in rows)
    assert named <= globals().keys()
    of_rows = {name for name in globals() if name.startswith("test_")}
    apart = {name for name in of_rows if re.search("of_the_page|refused", name)}
    assert of_rows - apart == named
