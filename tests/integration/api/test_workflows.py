"""Workflow definitions over HTTP: draft, active, retired; what is wrong with one; what they begin."""

from typing import Any

import httpx2
import pytest
import yaml
from sqlalchemy import text

from engine.catalogue import Catalogue
from runtime.settings import PROJECT
from schemas.access.roles import Role
from schemas.core.definition.text import as_yaml
from storage.access.system_audit import SystemAudit
from storage.engine.definitions import Definitions
from tasks.forms import EntryPoint, ReadTask, Sender
from tests.support.api.client import ApiClient, register_person
from tests.support.api.general_work import WORKFLOWS, look
from tests.support.engine.general_runs import ScriptedActions
from tests.support.in_process_fleet import InProcessFleet
from tests.support.waiting import wait_until

YAML = {"Content-Type": "application/yaml"}
SHIPPED = PROJECT / "config" / "workflows" / "pending_task_1.0.yaml"


def two_steps(version: str = "7", **changes: Any) -> dict[str, Any]:
    """A definition of two steps whose actions are the tests' own."""
    return {**WORKFLOWS[0], "workflow": "sent", "version": version, **changes}


def shipped(version: str, **changes: Any) -> dict[str, Any]:
    """The orders' definition under another version."""
    body = yaml.safe_load(SHIPPED.read_text(encoding="utf-8"))
    return {**body, "version": version, **changes}


def add(api: ApiClient, body: dict[str, Any]) -> None:
    answer = api.post("/workflows", json=body)
    assert answer.status_code == 200, answer.text


def move(api: ApiClient, verb: str, version: str = "7", name: str = "sent") -> httpx2.Response:
    return api.post(f"/workflows/{name}/{version}/{verb}")


def state_of(api: ApiClient, version: str = "7", name: str = "sent") -> str:
    state: str = api.get(f"/workflows/{name}/{version}").json()["state"]
    return state


def current(api: ApiClient, name: str = "sent") -> str | None:
    version: str | None = api.get(f"/workflows/{name}").json()["current_version"]
    return version


def begun(api: ApiClient, name: str = "sent", **changes: Any) -> httpx2.Response:
    return api.post(f"/workflows/{name}/start", json={"description": "测试", **changes})


def version_of_run(api: ApiClient, task_id: str) -> str:
    with api.house.database.transaction() as work:
        found: str = work.connection.execute(
            text("SELECT version FROM runs WHERE run_id = :run_id"), {"run_id": task_id}
        ).scalar_one()
    return found


def audited(api: ApiClient) -> list[tuple[str, str, Any]]:
    with api.house.database.transaction() as work:
        entries = SystemAudit(work).recent()
    return [
        (entry.what, entry.actor, entry.detail["version"])
        for entry in reversed(entries)
        if entry.what.startswith("workflow_")
    ]


def test_a_version_is_a_draft_then_active_then_retired_and_each_move_says_who(works: ApiClient) -> None:
    register_person(works.house, "wangfang", Role.DEVELOPER)
    assert works.post("/workflows", "wangfang", json=two_steps()).json()["version"]["state"] == "draft"
    assert begun(works).status_code == 409
    for verb, state in (("activate", "active"), ("retire", "retired")):
        answer = works.post(f"/workflows/sent/7/{verb}", "wangfang")
        assert (answer.json()["outcome"], answer.json()["version"]["state"]) == ("applied", state)
        again = works.post(f"/workflows/sent/7/{verb}", "wangfang")
        assert (again.json()["outcome"], state_of(works)) == ("repeated", state)
    assert audited(works) == [
        ("workflow_added", "wangfang", "7"),
        ("workflow_activated", "wangfang", "7"),
        ("workflow_retired", "wangfang", "7"),
    ]


@pytest.mark.parametrize(
    ("before", "verb", "allowed"), [([], "retire", ["activate"]), (["activate", "retire"], "activate", [])]
)
def test_a_move_that_the_table_does_not_have_is_a_conflict_with_what_may_happen(
    works: ApiClient, before: list[str], verb: str, allowed: list[str]
) -> None:
    add(works, two_steps())
    for earlier in before:
        move(works, earlier)
    answer = move(works, verb)
    assert answer.status_code == 409
    assert answer.json()["error"]["details"]["allowed"] == allowed


def test_the_same_body_again_answers_the_same_and_another_body_is_a_conflict(works: ApiClient) -> None:
    add(works, two_steps())
    move(works, "activate")
    again = works.post("/workflows", content=as_yaml(two_steps()).encode(), headers=YAML)
    assert (again.json()["outcome"], again.json()["version"]["state"]) == ("existing", "active")
    other = works.post("/workflows", json=two_steps(title="another"))
    assert other.status_code == 409
    assert "another body" in other.json()["error"]["message"]
    assert [what for what, *_ in audited(works)] == ["workflow_added", "workflow_activated"]


def test_a_run_begins_with_the_version_that_was_activated_last_and_keeps_it(
    works: ApiClient, bench: ScriptedActions
) -> None:
    for version in ("8", "7"):
        add(works, two_steps(version))
        move(works, "activate", version)
    answer = begun(works, task_id="RUN7")
    assert answer.status_code == 201, answer.text
    first = answer.json()["task_id"]
    assert (current(works), version_of_run(works, first)) == ("7", "7")
    move(works, "retire", "7")
    second = begun(works, task_id="RUN8").json()["task_id"]
    assert (current(works), version_of_run(works, second)) == ("8", "8")
    works.house.run()
    assert [look(works, run)["status"] for run in (first, second)] == ["completed", "completed"]
    move(works, "retire", "8")
    assert begun(works).status_code == 409
    assert begun(works, "nobody_sent_it").status_code == 404


def test_of_several_that_activate_at_once_one_applies_and_of_two_versions_the_later_is_current(
    works: ApiClient,
) -> None:
    for version in ("7", "8"):
        add(works, two_steps(version))
    calls = [works.prepare("POST", f"/workflows/sent/{v}/activate") for v in ("7", "8") * 4]
    outcomes = [answer.json()["outcome"] for answer in works.at_once(calls)]
    assert sorted(outcomes) == ["applied"] * 2 + ["repeated"] * 6
    activated = {v["version"]: v["activated_at"] for v in works.get("/workflows/sent").json()["versions"]}
    with works.house.database.transaction() as work:
        last = work.connection.execute(
            text("SELECT version FROM definitions WHERE workflow = 'sent' ORDER BY activated_at DESC LIMIT 1")
        ).scalar_one()
        assert dict(Definitions(work).current())["sent"] == last == current(works)
    assert None not in activated.values()
    assert [what for what, *_ in audited(works)].count("workflow_activated") == 2


def test_two_bodies_of_one_version_at_once_leave_one(works: ApiClient) -> None:
    bodies = [two_steps(title=f"title {n}") for n in range(6)]
    answers = works.at_once([works.prepare("POST", "/workflows", json=body) for body in bodies])
    assert sorted(answer.status_code for answer in answers) == [200] + [409] * 5
    (kept,) = [body for body, answer in zip(bodies, answers, strict=True) if answer.status_code == 200]
    assert works.get("/workflows/sent/7").json()["definition"] == kept


def test_another_process_knows_an_activated_version_when_it_reads_next(works: ApiClient) -> None:
    moment = [0.0]
    elsewhere = Catalogue(lambda: moment[0])
    add(works, two_steps())
    with works.house.database.transaction() as work:
        assert "sent" not in elsewhere.names(work)
    move(works, "activate")
    moment[0] += 1.0
    with works.house.database.transaction() as work:
        assert elsewhere.current(work, "sent").version == "7"


def test_another_process_begins_runs_of_a_version_that_was_activated_a_moment_ago(
    works: ApiClient, bench: ScriptedActions, database_url: str
) -> None:
    elsewhere = InProcessFleet.build(database_url, actions=bench.actions())
    for version in ("7", "8"):
        add(works, two_steps(version))
    move(works, "activate", "7")
    sender = Sender("tester", "req_1", "auto")

    def version_begun() -> str:
        sent = {"task_type": "sent", "description": "测试"}
        task = elsewhere.forms.read(elsewhere.engine, sent, sender)
        assert isinstance(task, ReadTask)
        (receipt,) = task.form.accept(elsewhere.engine, [task.submission], EntryPoint.COMMAND)
        return version_of_run(works, receipt.task_id) if receipt.task_id else ""

    wait_until(lambda: version_begun() == "7", "the first version is known elsewhere")
    move(works, "activate", "8")
    wait_until(lambda: version_begun() == "8", "the second version is known elsewhere")
    elsewhere.run()
    with works.house.database.transaction() as work:
        open_runs = work.connection.execute(
            text("SELECT count(*) FROM runs WHERE state <> 'completed'")
        ).scalar_one()
    assert open_runs == 0
    elsewhere.close()


def test_every_problem_is_answered_at_once_each_with_pointer_line_and_column(works: ApiClient) -> None:
    written = (
        "workflow: sent\n"
        'version: "7"\n'
        "steps:\n"
        "  - {id: a, agent: birds, action: fly, next: b}\n"
        "  - id: b\n"
        "    type: gateway\n"
        '    condition: "1 >"\n'
        "    next: [end]\n"
        "    else: [nowhere]\n"
    )
    for path in ("/workflows/check", "/workflows"):
        answer = works.post(path, content=written.encode(), headers=YAML).json()
        found = answer["problems"] if path.endswith("check") else answer["error"]["details"]["fields"]
        assert [(p["pointer"], p["line"], p["column"]) for p in found] == [
            ("/steps/0/agent", 4, 13),
            ("/steps/0/action", 4, 27),
            ("/steps/1/condition", 7, 5),
            ("/steps/1/else", 9, 5),
        ]
        assert "leads to 'nowhere'" in found[3]["message"]
    assert works.get("/workflows/sent").status_code == 404


def test_fields_that_are_wrong_are_named_where_they_stand(works: ApiClient) -> None:
    written = 'workflow: sent\nversion: 1.0\ncolour: red\nsteps:\n  - id: a\n    next: {to: b}\n  - title: "no id"\n'
    answer = works.post("/workflows", content=written.encode(), headers=YAML)
    assert answer.status_code == 422
    found = {(p["pointer"], p["line"], p["column"]) for p in answer.json()["error"]["details"]["fields"]}
    assert found == {
        ("/version", 2, 1), ("/colour", 3, 1), ("/steps/0/next", 6, 5), ("/steps/1/id", 7, 5),
        ("/steps/0/agent", 5, 5), ("/steps", 4, 1),
    }  # fmt: skip
    json_answer = works.post("/workflows/check", json={"workflow": "sent", "colour": "red"}).json()
    assert {p["pointer"] for p in json_answer["problems"]} == {"/version", "/colour", "/steps"}
    assert {p["line"] for p in json_answer["problems"]} == {1}


@pytest.mark.parametrize(
    ("written", "said"),
    [
        (b"a: &a [1]\nb: *a\n", "an alias"),
        (b"[" * 100_000, "levels deep"),
        (b"workflow: a\nworkflow: b\n", "stands in lines 1 and 2"),
        (b"1: 2026-03-13\n", "key that is no text"),
        (b"title: 2026-03-13\n", "no value that JSON has"),
        (b"title: !!python/object/apply:os.system [id]\n", "no value that JSON has"),
        (b"variables: {a: .nan}\n", "a number that JSON does not have"),
        (b"variables: {a: 99999999999999999999}\n", "more than 64 bits"),
        (b'title: "\\0"\n', "NUL"),
        (b'title: "\\ud800"\n', "is not YAML"),
        (b"a: [\n", "is not YAML"),
        (b"\xff\xfe", "UTF-8"),
        (b"", "must be an object"),
        (b"--- a\n--- b\n", "is not YAML"),
    ],
)
def test_yaml_that_cannot_be_kept_is_answered_with_what_is_wrong_and_never_a_500(
    works: ApiClient, written: bytes, said: str
) -> None:
    answer = works.post("/workflows", content=written, headers=YAML)
    assert answer.status_code == 422, answer.text
    assert said in str(answer.json()["error"]["details"]["fields"])
    assert works.post("/workflows/check", content=written, headers=YAML).json()["valid"] is False


@pytest.mark.parametrize(
    "written", [b"[1]", b"{", b'{"a": "\\u0000"}', b'{"a": "\\ud800"}', b'{"a":' * 5000, b'{"a": 1e999}', b""]
)
def test_json_that_cannot_be_kept_is_answered_with_422(works: ApiClient, written: bytes) -> None:
    answer = works.post("/workflows", content=written, headers={"Content-Type": "application/json"})
    assert answer.status_code == 422, answer.text


def test_a_body_of_another_type_or_too_large_is_refused(works: ApiClient) -> None:
    assert works.post("/workflows", content=b"a", headers={"Content-Type": "text/plain"}).status_code == 415
    assert works.post("/workflows", content=b" " * 1_048_577, headers=YAML).status_code == 413


def test_a_definition_is_answered_as_it_was_written(works: ApiClient) -> None:
    add(works, two_steps(title="测试"))
    assert works.get("/workflows/sent/7").json()["definition"] == two_steps(title="测试")
    answer = works.get("/workflows/sent/7", params={"format": "yaml"})
    assert answer.headers["content-type"].startswith("application/yaml")
    assert list(yaml.safe_load(answer.text).items()) == list(two_steps(title="测试").items())
    assert "测试" in answer.text
    assert works.get("/workflows/sent/8").status_code == 404
    assert "sent" in [each["workflow"] for each in works.get("/workflows").json()["workflows"]]


def without_purpose(version: str) -> dict[str, Any]:
    body = shipped(version)
    body["steps"] = [{k: v for k, v in step.items() if k != "purpose"} for step in body["steps"]]
    return body


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (without_purpose("9"), "purpose 'answer'"),
        (shipped("9", trigger=""), "'task.created' must begin exactly one workflow"),
        (shipped("9", workflow="second"), "'task.created' must begin exactly one workflow"),
    ],
    ids=["lacks a purpose", "has no trigger", "carries the orders a second time"],
)
def test_what_would_leave_orders_without_exactly_one_able_workflow_is_not_activated(
    api: ApiClient, body: dict[str, Any], said: str
) -> None:
    add(api, body)
    answer = move(api, "activate", "9", body["workflow"])
    assert answer.status_code == 409
    assert said in answer.json()["error"]["message"]
    assert (state_of(api, "9", body["workflow"]), current(api, "pending_task")) == ("draft", "1.0")


def test_the_last_version_that_carries_orders_is_not_retired(api: ApiClient) -> None:
    assert move(api, "retire", "1.0", "pending_task").status_code == 409
    add(api, shipped("2"))
    assert move(api, "activate", "2", "pending_task").status_code == 200
    assert move(api, "retire", "1.0", "pending_task").status_code == 200
    calls = [api.prepare("POST", "/workflows/pending_task/2/retire") for _ in range(3)]
    assert {answer.status_code for answer in api.at_once(calls)} == {409}
    assert current(api, "pending_task") == "2"


def test_a_file_of_the_configuration_stays_active_and_does_not_bring_back_what_was_retired(
    works: ApiClient,
) -> None:
    add(works, two_steps())

    def loaded() -> str:
        with works.house.database.transaction() as work:
            Definitions(work).register("sent", "7", two_steps())
        return state_of(works)

    assert loaded() == "active"
    move(works, "retire")
    assert loaded() == "retired"


def test_start_answers_as_tasks_do(works: ApiClient) -> None:
    taken = begun(works, "strict_work", parameters={"amount": 3}, task_id="RUN1")
    again = works.post(
        "/tasks",
        json={
            "task_type": "strict_work",
            "description": "测试",
            "parameters": {"amount": 3},
            "task_id": "RUN1",
        },
    )
    assert taken.status_code == 201, taken.text
    assert (taken.json()["outcome"], again.json()["verdict"]) == ("started", "existing")
    assert taken.headers["Location"] == "/v1/executions/RUN1"
    assert begun(works, "strict_work", parameters={"amount": 0}).status_code == 422


@pytest.mark.parametrize("name", ["Refund-v2", "_intern", "Refund_退款"])
def test_whatever_name_the_language_allows_a_version_lives_its_whole_life_under_it(
    api: ApiClient, name: str
) -> None:
    add(api, {"workflow": name, "version": "7", "steps": [{"id": "only", "type": "pass"}]})
    assert state_of(api, name=name) == "draft"
    assert move(api, "activate", name=name).status_code == 200
    assert current(api, name) == "7"
    assert begun(api, name).status_code == 201
    assert api.get(f"/executions?workflow={name}").json()["executions"][0]["workflow_id"] == name
    assert move(api, "retire", name=name).status_code == 200
