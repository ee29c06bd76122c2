"""The steps of a definition as a graph: start, successors, reachability."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from statemachine.workflow.step import Step


@dataclass(frozen=True, slots=True, kw_only=True)
class Graph:
    """Steps by id, the first steps, and for each step the joins that wait for it.

    Targets that are not steps (the end, the origin, a misspelt name) are left out of every answer.
    """

    steps: Mapping[str, Step]
    start: tuple[str, ...]
    joins: Mapping[str, tuple[str, ...]]
    on_error: str | None

    @classmethod
    def of(cls, steps: tuple[Step, ...], on_error: str | None) -> "Graph":
        """Create the graph of these steps; `on_error` handles failures that no step handles itself."""
        led_to = {target for step in steps for target in step.targets()} | {on_error}
        joins: dict[str, list[str]] = {}
        for step in steps:
            for need in step.needs:
                joins.setdefault(need, []).append(step.id)
        return cls(
            steps={step.id: step for step in steps},
            start=tuple(step.id for step in steps if step.id not in led_to and not step.needs),
            joins={need: tuple(waiting) for need, waiting in joins.items()},
            on_error=on_error,
        )

    def handler(self, step: Step) -> str | None:
        """Return the step that handles this one's failure; a step never handles its own."""
        target = step.on_error or self.on_error
        return None if target == step.id else target

    def after_success(self, step: Step) -> Iterator[str]:
        """Return the possible successors after success, joins not included."""
        return (target for target in step.after_success() if target in self.steps)

    def branches(self, step: Step) -> Iterator[str]:
        """Return the possible successors after success or failure, joins not included."""
        yield from self.after_success(step)
        handler = self.handler(step)
        if handler in self.steps:
            yield str(handler)

    def leads(self, step: Step) -> Iterator[str]:
        """Return the possible successors after success or failure, joins included."""
        yield from self.branches(step)
        yield from self.joins.get(step.id, ())

    def reach(self, origins: Iterable[str], follow: Callable[[Step], Iterable[str]]) -> frozenset[str]:
        """Return the origins and every step that can be reached from them along `follow`."""
        seen: set[str] = set()
        edge = [origin for origin in origins if origin in self.steps]
        while edge:
            step_id = edge.pop()
            if step_id not in seen:
                seen.add(step_id)
                edge.extend(follow(self.steps[step_id]))
        return frozenset(seen)

    def returns(self, step: Step, follow: Callable[[Step], Iterable[str]]) -> bool:
        """Whether a path along `follow` leads from this step back to it."""
        return step.id in self.reach(follow(step), follow)
