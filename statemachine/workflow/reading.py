"""What the expressions of a definition look at, so that nothing else is read for them."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from statemachine.workflow.expression.compiled import Expression
from statemachine.workflow.expression.template import ValueTemplate
from statemachine.workflow.options.catches import Catch
from statemachine.workflow.options.limits import Concurrency, Rate
from statemachine.workflow.options.loops import ForEach, Repeat
from statemachine.workflow.step import Step

Names = frozenset[tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class NamesRead:
    """The names that each step's expressions take from their values, by field."""

    of_steps: Mapping[str, Mapping[str, Names]] = field(default_factory=dict)
    of_workflow: Mapping[str, Names] = field(default_factory=dict)
    outputs: frozenset[str] = frozenset()
    """The steps whose outputs are read by name (`steps.ID`)."""
    reserved: bool = False
    """Whether `steps`, `run`, `parameters` or `variables` are read at all."""

    @classmethod
    def of(
        cls,
        steps: Iterable[Step],
        output: ValueTemplate | None,
        key: ValueTemplate | None,
        on: Iterable[Catch] = (),
        limits: Iterable[Concurrency | Rate | None] = (),
    ) -> "NamesRead":
        """What these read; `on` is what breaks in upon the whole, `limits` are those of runs."""
        of_steps = {step.id: _of_step(step) for step in steps}
        of_workflow = _names(
            [
                ("output", output),
                ("key", key),
                *(("key", limit.key) for limit in limits if limit is not None),
                *(("on", each) for catch in on for each in (catch.key, catch.timer, catch.condition)),
            ]
        )
        every = {
            name
            for fields in (*of_steps.values(), of_workflow)
            for names in fields.values()
            for name in names
        }
        return cls(
            of_steps,
            of_workflow,
            frozenset(name[1] for name in every if name[0] == "steps" and len(name) > 1),
            any(name[0] in ("steps", "run", "parameters", "variables") for name in every),
        )


def _of_step(step: Step) -> dict[str, Names]:
    return _names(_parts(step))


def _names(parts: Iterable[tuple[str, Expression | ValueTemplate | None]]) -> dict[str, Names]:
    found: dict[str, Names] = {}
    for name, part in parts:
        if part is not None:
            found[name] = found.get(name, frozenset()) | part.names()
    return found


def _parts(step: Step) -> Iterator[tuple[str, Expression | ValueTemplate | None]]:
    """Every expression of a step, with the field in which it stands."""
    yield "condition", step.condition
    yield "until", step.until
    yield "parameters", step.filled
    yield from (("next", branch.condition) for branch in step.branches)
    yield from (("set", written) for written in step.writes.values())
    for name, caught in (("events", step.catches), ("on", step.on)):
        yield from ((name, each) for catch in caught for each in (catch.key, catch.timer, catch.condition))
    yield from _parts_of_options(step)


def _parts_of_options(step: Step) -> Iterator[tuple[str, Expression | ValueTemplate | None]]:
    if step.emission is not None:
        yield from (
            ("payload", each) for each in (step.emission.name, step.emission.key, step.emission.payload)
        )
    if step.call is not None:
        yield "workflow", step.call.workflow
    if step.human.person is not None:
        yield "assign", ValueTemplate.of(step.human.person)
    if isinstance(step.loop, ForEach):
        yield from (("for_each", each) for each in (step.loop.items, step.loop.until, step.loop.collect))
    elif isinstance(step.loop, Repeat):
        yield "repeat", step.loop.condition
    yield from (("concurrency", limit.key) for limit in (step.concurrency, step.rate) if limit is not None)
