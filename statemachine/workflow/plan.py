"""What follows a step, as planned: rows to create, variables to write, what is sent, what ends."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from statemachine.workflow.options.emission import EmissionKind
from statemachine.workflow.options.limits import Concurrency, Rate
from statemachine.workflow.step import Step, StopRule


@dataclass(frozen=True, slots=True)
class WaitValues:
    """What is calculated of a catch when its step is entered."""

    place: int
    """Among what the step catches: of a wait first, then what breaks in."""
    key: str | None = None
    timer: object = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotRequest:
    """What a step, or a run, needs before it may go on."""

    key: str = ""
    """Steps, or runs, with the same key share the slots."""
    concurrency: Concurrency | None = None
    rate: Rate | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Entered:
    """A step to be created, with its input."""

    step: Step
    given: Mapping[str, object]
    """What leads to it gives it."""
    parameters: Mapping[str, object] = field(default_factory=dict)
    """Those of its definition, with their expressions filled."""
    elements: Sequence[object] | None = None
    """Of a `for_each`: what it is done for."""
    index: int | None = None
    """How often it was done before, in a loop."""
    due: object = None
    """Of a wait: until when, as it was calculated."""
    called: str | None = None
    """The workflow that it begins."""
    slot: SlotRequest | None = None
    """What it waits for before it is begun."""
    waits: tuple[WaitValues, ...] = ()
    """Of what it waits for, and what breaks in upon it."""

    @property
    def input(self) -> Mapping[str, object]:
        """The input of the step: what it is given, and the parameters of its definition, which go before."""
        return {**self.given, **self.parameters} if self.parameters else self.given


@dataclass(frozen=True, slots=True)
class Passed:
    """An instant step that was passed on the way; recorded as a completed step."""

    step: Step
    output: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Failing:
    """An instant step whose expressions have no value; recorded as a failed step."""

    step: Step
    error: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Arrived:
    """A branch that has come to where branches wait for one another."""

    join: str
    flow: str
    """The step from which it comes."""
    given: Mapping[str, object]
    own: bool = False
    """Whether that is what the step returned which has ended."""


@dataclass(frozen=True, slots=True)
class Write:
    """A variable's new value."""

    node: str
    name: str
    value: object


@dataclass(frozen=True, slots=True, kw_only=True)
class Emitted:
    """Something to be sent once this is committed."""

    kind: EmissionKind
    name: str
    key: str | None = None
    payload: object = None


@dataclass(slots=True)
class Plan:
    """The steps that follow, in order of discovery. Empty: this branch has ended."""

    entered: list[Entered] = field(default_factory=list)
    passed: list[Passed | Failing] = field(default_factory=list)
    arrived: list[Arrived] = field(default_factory=list)
    writes: list[Write] = field(default_factory=list)
    emitted: list[Emitted] = field(default_factory=list)
    stops: list[tuple[Step, StopRule]] = field(default_factory=list)
    """How what is around this branch ends."""
    error: Mapping[str, object] | None = None
    """What is around this branch fails with it: an instant step failed, and no step handles it."""
