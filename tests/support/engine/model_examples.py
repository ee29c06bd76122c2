"""Small definitions, each with what must become of it: run in the engine and in the reference."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.support.engine.general_runs import nodes_of
from tests.support.engine.model_runs import ModelHouse
from tests.support.workflow.generated import VARIABLES
from tests.support.workflow.model_case import Case, Plan


@dataclass(frozen=True, slots=True)
class Example:
    """A definition, what fails in it, in which order its steps end, and what must have become of some."""

    steps: Sequence[Mapping[str, Any]]
    expected: Mapping[str, Sequence[str]]
    """The states of the rows of some nodes, `run` for the run."""
    failing: Mapping[str, Plan] = field(default_factory=dict)
    order: Sequence[str] = ()
    """Nodes that end one after another, those with a space between them together; then the first that is open."""
    options: Mapping[str, Any] = field(default_factory=dict)


def act(node: str, *following: str, **more: Any) -> dict[str, Any]:
    """Work."""
    return {"id": node, "agent": "audit", "action": "check", "next": list(following), **more}


def one(node: str, kind: str, *following: Any, **more: Any) -> dict[str, Any]:
    """A step of another type."""
    return {"id": node, "type": kind, **({"next": list(following)} if following else {}), **more}


def part(node: str, *following: str) -> dict[str, Any]:
    """A gateway that takes all branches."""
    return one(node, "gateway", *following, mode="parallel")


def some(node: str, **conditions: str) -> dict[str, Any]:
    """A gateway that takes the branches whose condition holds."""
    return one(
        node, "gateway", *({"if": each, "to": to} for to, each in conditions.items()), mode="inclusive"
    )


def meet(node: str, join: Any = "all", *following: str, mode: str = "parallel") -> dict[str, Any]:
    """A gateway at which branches wait for one another."""
    return one(node, "gateway", *(following or ("end",)), mode=mode, join=join)


BROKEN = Plan(code="broken")


def carry(house: ModelHouse, example: Example) -> dict[str, Sequence[str]]:
    """Carry an example to its end, held against the reference after every end; what became of what it names."""
    plans = {node: Plan() for node in _nodes(example.steps)} | dict(example.failing)
    body = {"variables": VARIABLES, "steps": example.steps, **example.options}
    run = house.begin(Case(body=body, plans=plans))
    run.compare()
    order = list(example.order)
    while run.open():
        wanted, _, decision = (order.pop(0) if order else str(run.open()[0][1]["node"])).partition("=")
        chosen = [next(row for _, row in run.open() if row["node"] == node) for node in wanted.split()]
        if decision:
            run.decide(chosen[0], ("retry", "skip", "fail").index(decision))
        else:
            run.work(chosen)
        run.compare()
    found = nodes_of(house.fleet, run.run_id)
    states = {node: found.get(node, []) for node in example.expected if node != "run"}
    return {"run": [run.state()], **states}


def _nodes(steps: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    for step in steps:
        yield str(step["id"])
        yield from _nodes(step.get("steps", ()))
