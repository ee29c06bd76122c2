"""A node of a workflow: its kind and its successors. Immutable."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from statemachine.workflow.expression.compiled import Expression
from statemachine.workflow.options.agent_choice import AgentChoice
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
    """A condition; passed in the transaction that reaches it."""
    HUMAN = "human"
    """A question to a person; parked until it is decided."""
    WAIT = "wait"
    """A time to pass; holds a row, not a process."""


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
    agent: str = ""
    action: str = ""
    next: tuple[str, ...] = ()
    otherwise: tuple[str, ...] = ()
    condition: Expression | None = None
    needs: tuple[str, ...] = ()
    on_error: str | None = None
    inline: bool = False
    retry: RetryPolicy | None = None
    not_before: str | None = None
    wait_seconds: int | None = None
    decisions: Mapping[str, str] = field(default_factory=dict)
    deadline_seconds: int | None = None
    parameters: Mapping[str, object] = field(default_factory=dict)
    priority: int | None = None
    title: str = ""
    purpose: str | None = None
    choice: AgentChoice | None = None
    """Which agent does it, where no queue is named."""

    @property
    def instant(self) -> bool:
        """Whether it is passed in the same transaction that reaches it."""
        return self.kind is Kind.GATEWAY or self.inline

    def after_success(self) -> Iterator[str]:
        """The possible successors after success, joins not included."""
        yield from self.next
        yield from self.otherwise
        yield from self.decisions.values()

    def targets(self) -> Iterator[str]:
        """All possible successors, joins not included."""
        yield from self.after_success()
        if self.on_error:
            yield self.on_error
