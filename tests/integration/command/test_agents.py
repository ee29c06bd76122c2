"""What `unpend agents` shows and does."""

import json

from storage.access.system_audit import SystemAudit
from storage.flows.agents import NewAgent, OutsideAgents
from tests.support.command_line import CommandLine


def registered(fleet: CommandLine, agent_id: str) -> None:
    agent = NewAgent(
        agent_id=agent_id,
        name=None,
        role="worker",
        registered_by="action_agent",
        capabilities=["refunds", "translation"],
        most_at_once=4,
        metadata={},
    )
    with fleet.house.database.transaction() as work:
        OutsideAgents(work).register(agent)


def test_agents_are_listed_with_what_they_hold(fleet: CommandLine) -> None:
    registered(fleet, "action_agent.night")
    lines = [line.split() for line in fleet.run("agents", "list").stdout.splitlines()]
    assert [
        "action_agent.night",
        "worker",
        "active",
        "0",
        "4",
        "0",
        "%",
        "0",
        "refunds",
        "translation",
    ] in lines
    found = fleet.read("agents", "list")
    assert [each["agent_id"] for each in found["outside"]] == ["action_agent.night"]
    assert len(found["agents"]) == 5


def test_an_agent_is_drained_and_history_says_who(fleet: CommandLine) -> None:
    registered(fleet, "action_agent.night")
    drained = fleet.run("agents", "drain", "action_agent.night", "--by", "王芳")
    assert drained.stdout == "action_agent.night is offline; it holds 0 steps\n"
    assert json.loads(fleet.run("agents", "drain", "action_agent.night", "--json").stdout)["success"] is True
    with fleet.house.database.transaction() as work:
        entry = SystemAudit(work).recent(what="agent_drained")[-1]
    assert (entry.actor, entry.label) == ("operator", "王芳")


def test_an_agent_that_there_is_not_is_said_so(fleet: CommandLine) -> None:
    result = fleet.run("agents", "drain", "nobody")
    assert result.exit_code == 1
    assert "there is no outside agent nobody" in result.stderr
