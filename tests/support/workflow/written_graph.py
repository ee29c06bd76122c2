"""A written definition as a graph: what leads where, within one scope. Read by the reference interpreter alone."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Written = Mapping[str, Any]
"""A step, or a definition, as people write it."""

INSTANT = frozenset({"gateway", "set", "pass", "end"})
"""The types of steps that take no time: done by the transaction that reaches them."""


def listed(written: Any) -> list[Any]:
    """One, several or none, as a list."""
    if written is None:
        return []
    return list(written) if isinstance(written, (list, tuple)) else [written]


def targets_of(step: Written) -> Iterator[str]:
    """Where a step may lead by itself, after success or failure."""
    for each in listed(step.get("next")):
        yield from listed(each["to"]) if isinstance(each, dict) else [each]
    yield from listed(step.get("else"))
    yield from step.get("decisions", {}).values()
    yield from listed(step.get("on_error"))
    for catch in step.get("on", ()):
        yield from listed(catch["next"])


@dataclass(frozen=True, slots=True)
class WrittenGraph:
    """The steps of one scope."""

    steps: Mapping[str, Written]
    first: tuple[str, ...]
    """Those that nothing leads to."""
    waiting_for: Mapping[str, tuple[str, ...]]
    """By step, those that need it."""
    flows: Mapping[str, tuple[str, ...]]
    """By step at which branches wait for one another, the steps from which they come."""
    inner: Mapping[str, "WrittenGraph"] = field(default_factory=dict)
    """The insides of scopes."""
    handler: str | None = None
    """Of failures that no step handles; outside of all scopes only."""

    @classmethod
    def of(cls, steps: Sequence[Written], handler: str | None = None) -> "WrittenGraph":
        """The graph of these steps."""
        led_to = {target for step in steps for target in targets_of(step)} | {handler}
        needing: dict[str, list[str]] = {}
        flows: dict[str, list[str]] = {}
        for step in steps:
            for need in step.get("needs", ()):
                needing.setdefault(need, []).append(step["id"])
            if len(step.get("needs", ())) > 1:
                flows[step["id"]] = list(step["needs"])
            elif step.get("join"):
                flows[step["id"]] = [each["id"] for each in steps if step["id"] in targets_of(each)]
        return cls(
            steps={step["id"]: step for step in steps},
            first=tuple(s["id"] for s in steps if s["id"] not in led_to and not s.get("needs")),
            waiting_for={need: tuple(those) for need, those in needing.items()},
            flows={join: tuple(those) for join, those in flows.items()},
            inner={step["id"]: cls.of(step["steps"]) for step in steps if step.get("steps")},
            handler=handler,
        )

    def reached(self, origins: Iterable[str], without: str) -> set[str]:
        """These steps, and all that a branch can come to from them but through the one that is left out."""
        found: set[str] = set()
        edge = [origin for origin in origins if origin in self.steps]
        while edge:
            node = edge.pop()
            if node in found:
                continue
            found.add(node)
            if node != without:
                further = [*targets_of(self.steps[node]), *self.waiting_for.get(node, ())]
                if self.handler is not None and not self.steps[node].get("on_error"):
                    further.append(self.handler)
                edge += [target for target in further if target in self.steps]
        return found
