"""`unpend agents`: lists who works and how busy, and drains outside agents."""

from __future__ import annotations

from typing import Annotated

import typer

from fleet.command.client import OPERATOR, connected, refusals, segment
from fleet.command.failure import Commands
from fleet.command.location import DataDir
from fleet.command.orders.task import By, name_of, text_of
from fleet.command.output import AsJson, show_json, show_line, show_table

application = typer.Typer(
    cls=Commands, no_args_is_help=True, help="The fleet's agents and outside agents (docs/outside_agents.md)."
)


@application.command("list")
def list_agents(data_dir: DataDir = None, *, as_json: AsJson = False) -> None:
    """List the fleet's agents and up to 500 outside agents, with what each holds."""
    with connected(data_dir, OPERATOR) as api:
        found = api.get("agents")
    if as_json:
        show_json(found)
        return
    show_table(
        ("agent", "role", "status", "holds", "of", "load", "given", "capabilities"),
        [
            (
                each["agent_id"],
                each["role"],
                each["status"],
                each["current_tasks"],
                each["max_concurrent"],
                f"{each['load_percentage']:g} %",
                "" if each["total_assigned"] is None else each["total_assigned"],
                " ".join(each.get("capabilities", ())),
            )
            for each in (*found["agents"], *found["outside"])
        ],
    )


@application.command("drain")
def drain(
    agent: Annotated[str, typer.Argument(metavar="AGENT", help="An outside agent; `unpend agents list`.")],
    by: By = None,
    data_dir: DataDir = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Give an outside agent nothing new until it registers again; it finishes what it holds."""
    name, who = text_of(agent, "AGENT"), name_of(by)
    missing = f"there is no outside agent {name}; `unpend agents list` shows them"
    with connected(data_dir, OPERATOR) as api, refusals(not_found=missing):
        found = api.post(f"agents/{segment(name)}/drain", by=who)
    if as_json:
        show_json(found)
        return
    held = found["agent"]["current_tasks"]
    show_line(f"{name} is {found['agent']['status']}; it holds {held} step{'' if held == 1 else 's'}")
