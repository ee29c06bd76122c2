"""docs/outside_agents.md: its programs are tested, its workflow can be activated, its routes are there."""

import re
import shlex
from typing import Final

import pytest
import yaml

from runtime.settings import PROJECT
from schemas.flows.agents import SCOPES_OF_ROLE
from tests.support.api.client import ApiClient
from tests.support.in_process_fleet import InProcessFleet

PAGE: Final = (PROJECT / "docs" / "outside_agents.md").read_text(encoding="utf-8")
BLOCKS: Final = dict(re.findall(r"^```(\w+)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL))


@pytest.mark.parametrize(
    ("language", "file"), [("python", "agent.py"), ("sh", "agent.sh"), ("js", "agent.mjs")]
)
def test_the_programs_of_the_page_are_those_that_are_tested(language: str, file: str) -> None:
    assert BLOCKS[language] == (PROJECT / "examples" / "agents" / file).read_text(encoding="utf-8")


def test_the_program_in_python_is_short() -> None:
    assert len(BLOCKS["python"].splitlines()) <= 40


def test_the_workflow_of_the_page_can_be_activated(house: InProcessFleet) -> None:
    workflow = house.engine.definition_rules.require(yaml.safe_load(BLOCKS["yaml"]))
    assert [(step.agent, step.action) for step in workflow.steps.values()] == [
        ("outside", "translation"),
        ("outside", "refunds"),
        ("outside", "tidy_up"),
    ]


def test_every_call_of_the_page_is_a_route(api: ApiClient) -> None:
    calls = re.findall(r"^\| `(GET|POST) (/\S+?)`", PAGE, re.MULTILINE)
    paths = api.get("/openapi.json", None).json()["paths"]
    named = {
        (method, "/v1" + path.replace("/ID", "/{agent_id}").replace("/STEP", "/{step_id}"))
        for method, path in calls
    }
    assert len(named) == 9
    assert [call for call in named if call[0].lower() not in paths.get(call[1], {})] == []


def test_the_page_has_the_scopes_of_every_role() -> None:
    rows = {
        role: set(re.findall(r"`(\w+)`", scopes))
        for role, scopes in re.findall(r"^\| `(\w+)` \| [^|]+ \| ([^|]+) \|$", PAGE, re.MULTILINE)
    }
    assert rows == {role: {scope.value for scope in scopes} for role, scopes in SCOPES_OF_ROLE.items()}


def test_the_key_of_the_page_is_made_by_a_command_that_there_is() -> None:
    from typer.testing import CliRunner

    from fleet.command.app import application

    command = re.findall(r"`unpend (keys create [^`]+)`", PAGE)[0]
    words = [word for word in shlex.split(command) if word.startswith("--")]
    shown = CliRunner().invoke(application, ["keys", "create", "--help"]).output
    assert all(word in shown for word in words)
