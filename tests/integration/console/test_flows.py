"""Workflows and executions as pages: looked at, checked, sent, activated, steered, each by who may."""

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote
from xml.etree import ElementTree as ET

import pytest

from console.flows.executions import ROWS
from engine.outcomes import Failed
from schemas.access.roles import Role
from schemas.core.definition.text import as_yaml
from statemachine.workflow.states import RunState
from storage.core.database import Database
from storage.people.interrupts import InterruptFilter, Interrupts
from tests.support.api.executions import WORKFLOWS, act, workflow
from tests.support.bpmn.short_files import OPEN, READY, REJECTED
from tests.support.console.client import ConsoleClient, console_over, words_on
from tests.support.engine.general_runs import ScriptedActions, begin, state_of
from tests.support.in_process_fleet import InProcessFleet
from tests.support.probe import Probe

CALLING = workflow("calling", {"id": "call", "type": "workflow", "workflow": "line"})


@pytest.fixture
def bench() -> ScriptedActions:
    """What the steps come to."""
    return ScriptedActions()


@pytest.fixture
def console(database_url: str, bench: ScriptedActions) -> Iterator[ConsoleClient]:
    """The console of a house that knows general workflows, with one person of each role."""
    house = InProcessFleet.build(database_url, actions=bench.actions(), workflows=[*WORKFLOWS, CALLING])
    with console_over(house) as client:
        for role in Role:
            client.add_person(role.value, role)
        yield client
    house.close()


def started(console: ConsoleClient, name: str, **more: Any) -> str:
    """A run of this workflow, worked on until nothing is left to do."""
    (run_id,) = begin(console.house, name, **more)
    console.house.run()
    return run_id


def state_in(database: Database, name: str) -> str | None:
    found: str | None = Probe(database).value("SELECT min(state) FROM definitions WHERE workflow = %s", name)
    return found


# Workflows.


def test_the_list_shows_each_workflow_with_its_versions(console: ConsoleClient) -> None:
    page = console.get("/workflows", "viewer")
    assert '<a href="/console/workflows/line/1">1</a>' in page.text
    assert len(re.findall(r'<th scope="row">', page.text)) == len(
        {*(each["workflow"] for each in WORKFLOWS), "calling", "pending_task"}
    )
    assert "/workflows/import" not in page.text


def test_a_version_shows_its_text_by_lines_and_its_diagram(console: ConsoleClient) -> None:
    page = console.get("/workflows/line/1", "viewer")
    assert "<li><code>workflow: line</code></li>" in page.text
    assert 'src="/console/workflows/line/1/diagram.svg"' in page.text
    picture = console.get("/workflows/line/1/diagram.svg", "viewer")
    assert picture.headers["content-type"] == "image/svg+xml"
    assert ET.fromstring(picture.text).tag == "{http://www.w3.org/2000/svg}svg"
    assert "<bpmn:definitions" in console.get("/workflows/line/1/bpmn", "viewer").text
    assert console.get("/workflows/line/9", "viewer").status_code == 404


def test_a_file_is_checked_before_it_is_kept_and_then_activated_and_retired(console: ConsoleClient) -> None:
    page = console.post("/workflows/import", "developer", text=READY, what="check")
    assert "It can be activated as it is" in words_on(page)
    assert state_in(console.house.database, "visit") is None
    page = console.post("/workflows/import", "developer", text=READY.replace("\n", "\r\n"), what="keep")
    assert 'href="/console/workflows/visit/1"' in page.text
    assert "Nothing is open" in words_on(console.get("/workflows/visit/1", "developer"))
    for verb, state in (("activate", "active"), ("retire", "retired")):
        assert console.post(f"/workflows/visit/1/{verb}", "developer").status_code == 200
        assert state_in(console.house.database, "visit") == state
    audited = "SELECT string_agg(what, ' ' ORDER BY entry_id) FROM system_audit WHERE actor = 'developer'"
    assert Probe(console.house.database).value(audited) == (
        "workflow_imported workflow_activated workflow_retired"
    )


def test_open_points_of_a_draft_name_their_lines_and_keep_it_from_being_activated(
    console: ConsoleClient,
) -> None:
    page = console.post("/workflows/import", "developer", text=OPEN, what="keep")
    assert "Line 4 call" in words_on(page)
    draft = words_on(console.get("/workflows/visit/1", "developer"))
    assert re.search(r"Open points [1-9].* Line \d+ /", draft)
    refused = console.post("/workflows/visit/1/activate", "developer")
    assert refused.status_code == 409
    assert "cannot be activated as it is" in words_on(refused)


def test_a_rejected_file_says_why_line_by_line_and_stays_in_its_field(console: ConsoleClient) -> None:
    page = console.post("/workflows/import", "developer", text=REJECTED, what="keep")
    assert page.status_code == 422
    assert "Line 4" in words_on(page)
    assert "&lt;complexGateway" in page.text
    assert "<complexGateway" not in page.text
    assert "choose a file" in words_on(console.post("/workflows/import", "developer", text=" ", what="keep"))


def test_yaml_is_taken_with_its_lines_and_another_body_of_a_version_is_refused(
    console: ConsoleClient,
) -> None:
    text = as_yaml(workflow("sent", act("a")))
    broken = console.post("/workflows/import", "developer", text=text + "colour: red\n", what="keep")
    assert broken.status_code == 422
    assert "colour" in words_on(broken)
    assert console.post("/workflows/import", "developer", text=text, what="keep").status_code == 200
    other = as_yaml(workflow("sent", act("b")))
    refused = console.post("/workflows/import", "developer", text=other, what="keep")
    assert refused.status_code == 409
    assert "with another body" in words_on(refused)
    assert state_in(console.house.database, "sent") == "draft"


def test_a_file_larger_than_other_forms_is_taken(console: ConsoleClient) -> None:
    text = as_yaml(workflow("sent", act("a"))) + "# " + "x" * 400_000 + "\n"
    assert console.post("/workflows/import", "developer", text=text, what="check").status_code == 200


def test_who_may_not_change_workflows_sees_no_control_and_is_refused(console: ConsoleClient) -> None:
    assert "/retire" not in console.get("/workflows/line/1", "operator").text
    assert console.post("/workflows/line/1/retire", "operator").status_code == 403
    assert console.get("/workflows/import", "operator").status_code == 403
    assert state_in(console.house.database, "line") == "active"


# Executions.


def test_executions_are_filtered_by_workflow_state_and_day(console: ConsoleClient) -> None:
    line, bell = started(console, "line"), started(console, "bell")
    for query, found in (
        ("", {line, bell}),
        ("?workflow=bell", {bell}),
        ("?status=completed", {line}),
        ("?since=2000-01-01", {line, bell}),
        ("?since=2090-01-01", set()),
    ):
        page = console.get(f"/executions{query}", "viewer")
        assert set(re.findall(r'href="/console/executions/([^"?]+)"', page.text)) == found
    assert "There is no such execution" in words_on(console.get("/executions?since=2090-01-01", "viewer"))
    for query in ("?status=odd", "?since=soon", "?workflow=%00", "?after=odd"):
        assert console.get(f"/executions{query}", "viewer").status_code == 422


def test_a_page_of_executions_leads_to_the_next_with_its_filters(console: ConsoleClient) -> None:
    runs = set(begin(console.house, "bell", runs=ROWS + 3))
    seen: list[str] = []
    path = "/executions?workflow=bell"
    while path:
        page = console.get(path, "viewer").text
        seen += re.findall(r'href="/console/executions/([^"?]+)"', page)
        further = re.search(r'href="/console(/executions\?workflow=bell&amp;after=[^"]+)"', page)
        path = further.group(1).replace("&amp;", "&") if further else ""
    assert len(seen) == len(runs)
    assert set(seen) == runs


def test_an_execution_says_why_it_waits_and_what_its_steps_came_to(console: ConsoleClient) -> None:
    waiting = started(console, "counted", variables={"order": "<script>1</script>"})
    said = words_on(console.get(f"/executions/{waiting}", "viewer"))
    assert "waits for a message w paid" in said
    page = console.get(f"/executions/{waiting}", "viewer")
    assert "&lt;script&gt;1&lt;/script&gt;" in page.text
    assert "<script>" not in page.text
    assert f'data-live="{waiting} {waiting}"' in page.text
    assert "等待消息" in words_on(console.get(f"/executions/{waiting}", "viewer", language="zh"))
    assert console.get("/executions/nobody", "viewer").status_code == 404


def test_the_diagram_of_an_execution_marks_where_it_stands(console: ConsoleClient) -> None:
    run_id = started(console, "bell")
    page = console.get(f"/executions/{run_id}", "viewer").text
    (address,) = re.findall(r'src="/console(/executions/[^"]+/diagram\.svg\?at=[^"]+)"', page)
    picture = console.get(unquote(address), "viewer")
    assert picture.headers["content-type"] == "image/svg+xml"
    assert picture.text != console.get("/workflows/bell/1/diagram.svg", "viewer").text
    assert console.get("/executions/nobody/diagram.svg", "viewer").status_code == 404


def test_an_execution_names_those_that_it_has_begun(console: ConsoleClient) -> None:
    run_id = started(console, "calling")
    page = console.get(f"/executions/{run_id}", "viewer").text
    (child,) = re.findall(r'href="/console/executions/([^"?]+)">line 1', page)
    assert "No step was entered yet" not in words_on(console.get(f"/executions/{child}", "viewer"))


def test_a_failure_that_waits_for_a_person_leads_to_its_review(
    console: ConsoleClient, bench: ScriptedActions
) -> None:
    bench.answers["a"] = lambda _: Failed(code="broken", message="no use")
    run_id = started(console, "kept")
    with console.house.database.transaction() as work:
        (question,) = Interrupts(work).list(InterruptFilter(run_id=run_id))
    address = f'href="/console/reviews/{question.review.review_id}"'
    assert "failed, waits for a person a broken" in words_on(console.get(f"/executions/{run_id}", "reviewer"))
    assert address in console.get(f"/executions/{run_id}", "reviewer").text
    assert address not in console.get(f"/executions/{run_id}", "viewer").text


def test_an_execution_is_paused_resumed_and_cancelled_with_a_reason_on_record(console: ConsoleClient) -> None:
    run_id = started(console, "bell")
    path = f"/executions/{run_id}/steer"
    assert console.post(path, "operator", verb="pause", reason="稍等").status_code == 200
    assert state_of(console.house, run_id) is RunState.PAUSED
    assert console.post(path, "operator", verb="resume").status_code == 200
    assert state_of(console.house, run_id) is RunState.RUNNING
    unsaid = console.post(path, "operator", verb="cancel", reason=" ")
    assert unsaid.status_code == 422
    assert "needs a reason" in words_on(unsaid)
    assert console.post(path, "operator", verb="cancel", reason="不再需要").status_code == 200
    assert state_of(console.house, run_id) is RunState.CANCELLED
    reasons = "SELECT string_agg(detail ->> 'reason', ' ' ORDER BY entry_id) FROM system_audit WHERE actor = 'operator'"
    assert Probe(console.house.database).value(reasons) == "稍等 不再需要"


def test_what_cannot_be_done_is_refused_and_a_reason_that_is_too_long_stays(console: ConsoleClient) -> None:
    run_id = started(console, "line")
    refused = console.post(f"/executions/{run_id}/steer", "operator", verb="cancel", reason="再试")
    assert refused.status_code == 409
    assert "It has ended; nothing was changed" in words_on(refused)
    assert state_of(console.house, run_id) is RunState.COMPLETED
    run_id = started(console, "bell")
    long = console.post(f"/executions/{run_id}/steer", "operator", verb="pause", reason="x" * 501)
    assert long.status_code == 422
    assert f">{'x' * 501}</textarea>" in long.text
    assert state_of(console.house, run_id) is RunState.RUNNING


def test_a_failed_execution_is_retried(console: ConsoleClient, bench: ScriptedActions) -> None:
    bench.answers["b"] = lambda _: Failed(code="broken", message="no use")
    run_id = started(console, "line")
    assert "broken" in words_on(console.get(f"/executions/{run_id}", "operator"))
    bench.answers.clear()
    assert console.post(f"/executions/{run_id}/steer", "operator", verb="retry").status_code == 200
    console.house.run()
    assert state_of(console.house, run_id) is RunState.COMPLETED


def test_who_may_not_steer_sees_no_control_and_is_refused(console: ConsoleClient) -> None:
    run_id = started(console, "bell")
    assert "/steer" not in console.get(f"/executions/{run_id}", "viewer").text
    assert console.post(f"/executions/{run_id}/steer", "viewer", verb="pause").status_code == 403
    assert state_of(console.house, run_id) is RunState.RUNNING
