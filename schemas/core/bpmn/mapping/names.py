"""Ids of a file as ids of ours: a character that ours may not have becomes `_`."""

import re
from collections.abc import Callable, Iterable
from typing import Final

from statemachine.workflow.step import END, ORIGIN

_NOT_IN_STEPS: Final = re.compile(r"[^\w.-]")
_NOT_IN_WORKFLOWS: Final = re.compile(r"[^\w-]")
_NOT_FIRST: Final = re.compile(r"[^A-Za-z_]")
_LONGEST: Final = 128


def workflow_name(process_id: str) -> str:
    """The name of the workflow that a process becomes."""
    return _formed(process_id, _NOT_IN_WORKFLOWS)


def step_ids(nodes: Iterable[tuple[str, str]]) -> dict[str, str]:
    """The steps of nodes, by the ids of nodes; each node with the id that it asks for."""
    found: dict[str, str] = {}
    taken = {END, ORIGIN}
    for node_id, wished in nodes:
        found[node_id] = unused(_formed(wished, _NOT_IN_STEPS), taken.__contains__)
        taken.add(found[node_id])
    return found


def unused(wished: str, is_taken: Callable[[str], bool]) -> str:
    """This id, or one like it that nothing has."""
    name, number = wished, 1
    while is_taken(name):
        number += 1
        name = f"{wished[: _LONGEST - 6]}_{number}"
    return name


def _formed(name: str, refused: re.Pattern[str]) -> str:
    formed = refused.sub("_", name)[:_LONGEST] or "_"
    return formed if not _NOT_FIRST.match(formed) else f"_{formed}"[:_LONGEST]
