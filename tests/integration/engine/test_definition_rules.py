"""What a definition names is held against what there is: actions, queues, parameters, secrets, workflows."""

import shutil
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
from pydantic import SecretStr

from runtime.settings import PROJECT
from schemas.core.configuration import PolicyFileError
from schemas.core.definition.reader import place_of
from schemas.core.definition.text import read_yaml
from statemachine.workflow.definition import MalformedWorkflow
from statemachine.workflow.states import DefinitionEvent
from storage.engine.definitions import Definitions
from tasks.flows.context import FlowsContext
from tests.support.engine.triggered_runs import activate
from tests.support.flows.http_steps import CALLBACKS
from tests.support.in_process_fleet import InProcessFleet
from tests.support.probe import Probe
from tools.http_requests.rules import HttpRules
from tools.http_requests.sender import HttpSender


def body_of(text: str) -> dict[str, Any]:
    return dict(read_yaml("workflow: tried\nversion: '1'\n" + dedent(text).lstrip()).body)


def found_in(house: InProcessFleet, text: str) -> list[tuple[str, str]]:
    """The faults of this YAML in this installation, each with its pointer."""
    body = body_of(text)
    read = house.engine.definition_rules.examine(body)
    return [("/" + "/".join(map(str, place_of(fault, body))), fault.message) for fault in read.faults]


@pytest.mark.parametrize(
    ("step", "pointer", "said"),
    [
        ("{id: a, agent: audti, action: generate_report}", "/steps/0/agent", "did you mean 'audit'?"),
        ("{id: a, agent: audit, action: genrate_report}", "/steps/0/action", "'audit.generate_report'?"),
        ("{id: a, type: tool, tool: htpp, parameters: {}}", "/steps/0/tool", "did you mean 'general.http'?"),
        (
            "{id: a, type: tool, tool: general.report, parameters: {title: 7}}",
            "/steps/0/parameters",
            "type string",
        ),
        ("{id: a, type: http, request: {url: u, ok: 200}}", "/steps/0/request", "must be of type array"),
        ("{id: a, type: http}", "/steps/0/request", "has no request"),
    ],
)
def test_what_a_step_names_and_there_is_not_comes_with_the_nearest(
    house: InProcessFleet, step: str, pointer: str, said: str
) -> None:
    assert [each for each in found_in(house, f"steps: [{step}]") if each[0] == pointer and said in each[1]]


def test_rules_and_graph_and_expressions_are_told_together(house: InProcessFleet) -> None:
    found = found_in(
        house,
        """
        triggers: [{schedule: {cron: "61 * * * *"}}, {event: paid, if: amount > 1, parameters: "${event}"}]
        steps:
        - {id: a, agent: birds, action: fly, next: nowhere}
        - {id: b, type: tool, tool: report, priority: 11, parameters: {titel: x}}
        - {id: c, type: gateway, condition: "1 +", next: a, else: end}
        """,
    )
    assert {pointer for pointer, _ in found} >= {
        "/triggers/0/schedule/cron", "/triggers/1/if", "/steps/0/agent", "/steps/0/action", "/steps/0/next",
        "/steps/1/priority", "/steps/1/parameters", "/steps/2/condition", "/steps",
    }  # fmt: skip


def test_what_is_calculated_is_not_held_against_the_schema_and_what_stands_beside_it_is(
    house: InProcessFleet,
) -> None:
    step = (
        "{id: a, type: tool, tool: report, parameters: {title: '${t}', columns: ['${c}'], rows: '${rows}'}}"
    )
    assert found_in(house, f"steps: [{step}]") == []
    wrong = step.replace("title: '${t}'", "titel: '${t}', text: 7")
    assert [message.split(": ", 1)[1] for _, message in found_in(house, f"steps: [{wrong}]")] == [
        "parameters.titel is not a parameter of this action",
        "parameters.text must be of type string",
    ]


def test_a_secret_that_the_installation_does_not_have_is_a_fault(database_url: str) -> None:
    rules = HttpRules({}, {"PAY": "UNPEND_SECRET_PAY"}, {"UNPEND_SECRET_PAY": SecretStr("a secret of it")})
    house = InProcessFleet.build(database_url)
    flows = FlowsContext(house.database, lambda: HttpSender(rules), CALLBACKS)
    house = InProcessFleet.build(database_url, database=house.database, flows=flows)
    step = "{id: a, type: http, request: {url: 'https://pay.example', headers: {X: '${secret.NAME}'}}}"
    assert found_in(house, f"steps: [{step.replace('NAME', 'PAY')}]") == []
    ((pointer, message),) = found_in(house, f"steps: [{step.replace('NAME', 'PYA')}]")
    assert pointer == "/steps/0/request"
    assert message == "step 'a': there is no secret 'PYA' in config/http.yaml; did you mean 'PAY'?"
    house.close()


def test_a_file_of_secrets_that_cannot_be_read_is_one_fault_beside_the_others(
    database_url: str, tmp_path: Path
) -> None:
    shutil.copytree(PROJECT / "config", tmp_path / "config")
    file = tmp_path / "config" / "http.yaml"
    file.write_text("hosts: {}\nsecrets: {PAY: [}\n", encoding="utf-8")
    house = InProcessFleet.build(database_url, config_folder=tmp_path / "config")
    taking = "{id: NAME, type: http, request: {url: 'https://pay.example', headers: {X: '${secret.PAY}'}}}"
    steps = [taking.replace("NAME", name) for name in ("a", "b")]
    found = found_in(house, f"steps: [{', '.join(steps)}, {{id: c, agent: audti, action: check}}]")
    about = [each for each in found if str(file) in each[1]]
    assert [pointer for pointer, _ in about] == ["/steps/0/request"]
    assert about[0][1].startswith(
        f"step 'a': it cannot be told which secrets there are: {file}:2:17: is not valid YAML"
    )
    assert "/steps/2/agent" in {pointer for pointer, _ in found}
    with pytest.raises(PolicyFileError) as at_the_start:
        HttpRules.read(house.settings.config_folder, {})
    assert about[0][1].endswith(str(at_the_start.value))
    file.write_text("secrets: {PAY: UNPEND_SECRET_PAY}\n", encoding="utf-8")
    assert found_in(house, f"steps: [{steps[0]}]") == []
    house.close()


@pytest.mark.parametrize(
    ("version", "said"),
    [
        ("11", "there is no version '11' of workflow 'called'; there are 1, 10; did you mean '1"),
        ("2", "version 2 of workflow 'called' is a draft; activate it first"),
    ],
)
def test_a_version_that_a_step_begins_must_be_there_and_no_draft(
    house: InProcessFleet, version: str, said: str
) -> None:
    called = body_of("steps: [{id: a, agent: audit, action: generate_report}]") | {"workflow": "called"}
    with house.database.transaction() as work:
        for each in ("1", "10"):
            Definitions(work).register("called", each, called | {"version": each})
        Definitions(work).move("called", "10", DefinitionEvent.RETIRE)
        Definitions(work).add_draft("called", "2", called | {"version": "2"})
    written = "steps: [{id: a, type: workflow, workflow: called, version: 'NUMBER'}]"
    with pytest.raises(MalformedWorkflow) as refused:
        activate(house, body_of(written.replace("NUMBER", version)))
    (fault,) = refused.value.faults
    assert fault.message.startswith(f"step 'a': {said}")
    assert (fault.step_id, fault.at) == ("a", ("version",))
    # One that was retired can be begun by who names it.
    activate(house, body_of(written.replace("NUMBER", "10")))


def test_a_workflow_that_a_step_begins_must_be_there_when_its_version_becomes_active(
    house: InProcessFleet,
) -> None:
    written = "steps: [{id: a, type: workflow, workflow: pending_tsak}]"
    with pytest.raises(MalformedWorkflow, match="no workflow 'pending_tsak'; did you mean 'pending_task'"):
        activate(house, body_of(written))
    assert Probe(house.database).value("SELECT count(*) FROM definitions WHERE workflow = 'tried'") == 0
    activate(house, body_of(written.replace("tsak", "task")))
    with house.database.transaction() as work:
        assert Definitions(work).find("tried", "1") is not None


def test_a_workflow_may_begin_itself_and_one_that_is_calculated_is_known_later(house: InProcessFleet) -> None:
    activate(house, body_of("steps: [{id: a, type: workflow, workflow: tried, version: '1'}]"))
    other = body_of("steps: [{id: a, type: workflow, workflow: '${which}'}]")
    activate(house, {**other, "workflow": "other"})


ORDER_PROCESSING = """
triggers: [order_created]
variables: {currency: USD, tax_rate: 0.08}
timeout_seconds: 3600
retry: {max_retries: 3, backoff: 2}
steps:
- id: validate_order
  agent: {capability: order_validation}
  priority: HIGH
  parameters: {rules: [check_items, check_address, check_payment]}
- {id: check_inventory, agent: {capability: inventory_check}, needs: [validate_order]}
- {id: process_payment, agent: {capability: payment_processing}, needs: [check_inventory], priority: CRITICAL}
- {id: fulfill_order, agent: {capability: shipping}, needs: [process_payment]}
- {id: send_notification, agent: {capability: email}, needs: [fulfill_order], priority: LOW}
"""


def test_the_order_processing_of_agents_by_capability_has_no_faults(house: InProcessFleet) -> None:
    assert found_in(house, ORDER_PROCESSING) == []
