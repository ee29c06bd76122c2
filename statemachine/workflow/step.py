"""A node of a workflow: its kind, what it asks for, and its successors. Immutable."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from statemachine.workflow.expression.compiled import Expression
from statemachine.workflow.expression.template import ValueTemplate
from statemachine.workflow.options.agent_choice import AgentChoice
from statemachine.workflow.options.called_workflow import CalledWorkflow
from statemachine.workflow.options.catches import Catch
from statemachine.workflow.options.emission import Emission
from statemachine.workflow.options.gateways import Branch, GatewayMode, Join
from statemachine.workflow.options.human import NO_RULES, HumanRules
from statemachine.workflow.options.limits import Concurrency, Rate
from statemachine.workflow.options.loops import ForEach, Repeat
from statemachine.workflow.options.retry import RetryPolicy

END: Final = "end"
"""The target that ends a branch."""
ORIGIN: Final = "$origin"
"""The decision target that runs the step again whose failure led to the human step."""


class Kind(StrEnum):
    """The kinds of steps."""

    ACTION = "action"
    """Work for an agent."""
    GATEWAY = "gateway"
    """Conditions, or a place where branches meet; passed in the transaction that reaches it."""
    HUMAN = "human"
    """A question to a person; parked until it is decided."""
    WAIT = "wait"
    """A time to pass, or something to happen; holds a row, not a process."""
    SET = "set"
    """Writes variables; passed at once."""
    PASS = "pass"  # noqa: S105 - no password
    """Does nothing; passed at once."""
    EMIT = "emit"
    """Sends a message, a signal or an event; passed at once."""
    WORKFLOW = "workflow"
    """Begins another workflow."""
    SCOPE = "scope"
    """Steps of its own; done when they are."""
    COMPENSATE = "compensate"
    """Undoes what was done, by the steps that are named for it."""
    STOP = "end"
    """Ends its scope, or the run: in an error, an escalation, or at once."""
    EACH = "each"
    """The row that stands for all elements of a `for_each`; no step is written so."""


INSTANT: Final = frozenset({Kind.GATEWAY, Kind.SET, Kind.PASS, Kind.EMIT, Kind.STOP})
"""The kinds that are passed in the transaction that reaches them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StopRule:
    """How an end ends what is around it; all empty: only its own branch."""

    error: str | None = None
    """The code of a failure."""
    escalation: str | None = None
    """The code of what is reported to what is around it, which goes on."""
    terminates: bool = False
    """Whether the other branches are cancelled."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One node of a workflow.

    `next` holds the targets after success (several open parallel branches), `otherwise` those of a gateway
    whose condition fails, `needs` the steps that must all be done before this one is entered (a join).
    `not_before` names a value of the step's input: the business time before which it is not due.
    `parameters` go into the input of an action, before what leads to it gives under the same name. `title` is what
    people read: where a task waits, in its list of steps, and as the question of a human step that has no other.
    `purpose` says what the step is for; code finds a step by it, never by its id.
    """

    id: str
    kind: Kind = Kind.ACTION
    scope: str | None = None
    """The step of the kind scope in which it lies."""
    agent: str = ""
    """A queue."""
    choice: AgentChoice | None = None
    """Whoever can do it, where no queue is named."""
    action: str = ""
    next: tuple[str, ...] = ()
    otherwise: tuple[str, ...] = ()
    condition: Expression | None = None
    branches: tuple[Branch, ...] = ()
    """Of a gateway, or after any step: targets with a condition each."""
    mode: GatewayMode = GatewayMode.EXCLUSIVE
    join: Join | None = None
    """Whether branches wait here for one another; of a gateway, or of a step that needs several."""
    needs: tuple[str, ...] = ()
    on_error: str | None = None
    on: tuple[Catch, ...] = ()
    """What breaks in upon it while it is open."""
    inline: bool = False
    retry: tuple[RetryPolicy, ...] = ()
    """The first that fits the code of a failure; none: that of the workflow, or of the action."""
    not_before: str | None = None
    wait_seconds: int | None = None
    until: ValueTemplate | None = None
    """Of a wait: seconds, a duration, or a moment."""
    catches: tuple[Catch, ...] = ()
    """Of a wait: what ends it; the first to happen decides."""
    decisions: Mapping[str, str] = field(default_factory=dict)
    deadline_seconds: int | None = None
    human: HumanRules = NO_RULES
    parameters: Mapping[str, object] = field(default_factory=dict)
    filled: ValueTemplate | None = None
    """The parameters, where expressions stand in them."""
    writes: Mapping[str, ValueTemplate] = field(default_factory=dict)
    """The variables that it writes when it is done (`set`, `save`)."""
    emission: Emission | None = None
    call: CalledWorkflow | None = None
    loop: ForEach | Repeat | None = None
    compensation: str | None = None
    """The step that undoes it."""
    compensates: tuple[str, ...] = ()
    """Of a compensate step: whose; none: all that is done of its scope, the last one first."""
    stop: StopRule | None = None
    timeout_seconds: int | None = None
    """For all of it, waiting and every try, in business time."""
    start_seconds: int | None = None
    """Until somebody has begun with it."""
    concurrency: Concurrency | None = None
    rate: Rate | None = None
    priority: int | None = None
    title: str = ""
    purpose: str | None = None
    stage: str = ""
    lane: str = ""

    @property
    def instant(self) -> bool:
        """Whether it is passed in the same transaction that reaches it."""
        return (self.kind in INSTANT and self.join is None) or self.inline

    @property
    def calculated(self) -> bool:
        """Whether something of it is calculated when it is entered."""
        return bool(
            self.filled is not None
            or self.loop is not None
            or self.catches
            or self.on
            or self.until is not None
            or self.call is not None
            or self.human.person is not None
            or self.choice is not None
            or self.concurrency is not None
            or self.rate is not None
        )

    @property
    def subscribes(self) -> bool:
        """Whether something is noted that it waits for, or that may break in upon it."""
        return bool(
            self.catches or self.on or self.timeout_seconds is not None or self.start_seconds is not None
        )

    def after_success(self) -> Iterator[str]:
        """The possible successors after success, joins not included."""
        yield from self.next
        yield from self.otherwise
        for branch in self.branches:
            yield from branch.next
        yield from self.decisions.values()
        for catch in self.catches:
            yield from catch.next

    def targets(self) -> Iterator[str]:
        """All possible successors, joins not included."""
        yield from self.after_success()
        if self.on_error:
            yield self.on_error
        for catch in self.on:
            yield from catch.next
