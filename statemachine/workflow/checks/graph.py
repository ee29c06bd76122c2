"""The steps of a definition as a graph: start, successors, scopes, reachability."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from statemachine.workflow.expression.calculation import nearest
from statemachine.workflow.options.catches import Catch
from statemachine.workflow.step import Kind, Step


@dataclass(frozen=True, slots=True, kw_only=True)
class Graph:
    """Steps by id, the first steps, and for each step the joins that wait for it.

    Targets that are not steps (the end, the origin, a misspelt name) are left out of every answer.
    """

    steps: Mapping[str, Step]
    start: tuple[str, ...]
    joins: Mapping[str, tuple[str, ...]]
    on_error: str | None
    on: tuple[Catch, ...] = ()
    """What breaks in upon the whole."""
    inner: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """The first steps of each scope."""
    unread: frozenset[str] = frozenset()
    """Steps that were written and could not be read."""

    @classmethod
    def of(
        cls,
        steps: tuple[Step, ...],
        on_error: str | None,
        on: tuple[Catch, ...] = (),
        unread: frozenset[str] = frozenset(),
    ) -> "Graph":
        """Create the graph of these steps; `on_error` handles failures that no step handles itself."""
        led_to = {target for step in steps for target in step.targets()} | {on_error}
        led_to |= {target for catch in on for target in catch.next}
        led_to |= {step.compensation for step in steps}
        joins: dict[str, list[str]] = {}
        for step in steps:
            for need in step.needs:
                joins.setdefault(need, []).append(step.id)
        first = [step for step in steps if step.id not in led_to and not step.needs]
        scopes = {step.id for step in steps if step.kind is Kind.SCOPE}
        return cls(
            steps={step.id: step for step in steps},
            start=tuple(step.id for step in first if step.scope is None),
            joins={need: tuple(waiting) for need, waiting in joins.items()},
            on_error=on_error,
            on=on,
            inner={scope: tuple(step.id for step in first if step.scope == scope) for scope in scopes},
            unread=unread,
        )

    def unknown(self, name: str) -> str | None:
        """That there is no step of this name, with the nearest that there is; nothing where there is one."""
        if name in self.steps or name in self.unread:
            return None
        return f"'{name}', which is not a step{nearest(name, self.steps)}"

    def flows(self) -> dict[str, tuple[str, ...]]:
        """For each step at which branches wait for one another, the steps that lead to it."""
        waiting = {step.id: step.needs for step in self.steps.values() if len(step.needs) > 1}
        led: dict[str, list[str]] = {
            step.id: [] for step in self.steps.values() if step.join is not None and not step.needs
        }
        for step in self.steps.values():
            for target in dict.fromkeys(step.targets()):
                if target in led:
                    led[target].append(step.id)
        return waiting | {join: tuple(sources) for join, sources in led.items()}

    def coming(self, join: str, flows: Iterable[str]) -> dict[str, frozenset[str]]:
        """For each flow into a join, the steps from which a branch can come by it without passing the join."""
        back: dict[str, list[str]] = {}
        for step in self.steps.values():
            if step.id != join:
                for target in self.leads(step):
                    back.setdefault(target, []).append(step.id)
        return {flow: self.reach([flow], lambda step: back.get(step.id, ())) for flow in flows}

    def handler(self, step: Step) -> str | None:
        """Return the step that handles this one's failure; a step never handles its own."""
        target = step.on_error or (self.on_error if step.scope is None else None)
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
        yield from (target for catch in step.on for target in catch.next if target in self.steps)
        yield from self.inner.get(step.id, ())
        if step.compensation in self.steps:
            yield str(step.compensation)

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
