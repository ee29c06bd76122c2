"""What steps and workflows may ask for, as people write it."""

from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from schemas.core.definition.part import Names, Part, Targets, VariableName
from statemachine.workflow.options.catches import CatchKind
from statemachine.workflow.options.limits import WhenFull

Seconds = Annotated[int, Field(gt=0, le=315_360_000)]
"""Up to ten years."""


class RetryBody(Part):
    """How often and after which wait a failed try is repeated, and for which failures."""

    max_retries: int = Field(ge=0, le=100)
    delay_seconds: float = Field(default=1.0, gt=0, le=86_400)
    backoff: float = Field(default=1.0, ge=1, le=10)
    longest_seconds: float = Field(default=300.0, gt=0, le=86_400)
    jitter: float = Field(default=0.0, ge=0, le=1)
    on: Names = ()
    """The codes of the failures; none: all."""


def _listed(written: Any) -> Any:
    return (written,) if isinstance(written, dict) else written


Retries = Annotated[tuple[RetryBody, ...], BeforeValidator(_listed)]
"""One policy, or several of which the first that fits is taken."""


class ChoiceBody(Part):
    """Which agent does a step, where no queue is named."""

    capability: str | None = Field(default=None, min_length=1, max_length=64)
    capabilities: Names = ()
    role: str | None = Field(default=None, min_length=1, max_length=32)
    id: str | None = Field(default=None, min_length=1, max_length=2_000)

    @model_validator(mode="after")
    def _asks_for_something(self) -> Self:
        if not (self.capability or self.capabilities or self.role or self.id):
            raise ValueError("names a capability, capabilities, a role or an id")
        return self


class CatchBody(Part):
    """What is caught: exactly one of message, signal, timer, condition, error, escalation."""

    message: str | None = Field(default=None, min_length=1, max_length=128)
    key: str | int | None = None
    signal: str | None = Field(default=None, min_length=1, max_length=128)
    timer: str | int | float | None = None
    condition: str | None = None
    error: Names | None = None
    escalation: Names | None = None
    interrupts: bool = True
    next: Targets = ()

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        written = [kind.value for kind in CatchKind if getattr(self, kind.value) is not None]
        if len(written) != 1:
            raise ValueError("has exactly one of message, signal, timer, condition, error, escalation")
        if self.key is not None and self.message is None:
            raise ValueError("has a key, which only a message has")
        if self.error is not None and not self.interrupts:
            raise ValueError("an error always interrupts")
        return self

    @property
    def kind(self) -> CatchKind:
        """What it is."""
        return next(kind for kind in CatchKind if getattr(self, kind.value) is not None)


class AssignBody(Part):
    """Who may answer."""

    role: str | None = Field(default=None, min_length=1, max_length=32)
    person: str | None = Field(default=None, min_length=1, max_length=2_000)

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.role is None) == (self.person is None):
            raise ValueError("names either a role or a person")
        return self


class EscalationBody(Part):
    """Who is told when nobody has answered."""

    after: Seconds
    to: str = Field(min_length=1, max_length=32)


class QuorumBody(Part):
    """How many must agree."""

    count: int = Field(ge=1, le=20)


class ForEachBody(Part):
    """A step done once for each element."""

    items: str | list[Any] = Field(alias="in")
    name: VariableName = Field(default="item", alias="as")
    mode: Literal["parallel", "sequential"] = "parallel"
    limit: int | None = Field(default=None, ge=1, le=10_000)
    until: str | None = None
    on_item_error: Literal["fail", "collect"] = "fail"
    collect: Any = None


class RepeatBody(Part):
    """A step done again while something holds."""

    condition: str = Field(alias="while")
    most: int = Field(alias="max", ge=1, le=10_000)


class ConcurrencyBody(Part):
    """How many at the same time."""

    key: str | None = Field(default=None, max_length=2_000)
    limit: int = Field(ge=1, le=100_000)
    when_full: WhenFull = WhenFull.QUEUE


class RateBody(Part):
    """How many in a while."""

    key: str | None = Field(default=None, max_length=2_000)
    limit: int = Field(ge=1, le=1_000_000)
    seconds: float = Field(gt=0, le=86_400)


class JoinBody(Part):
    """How many branches must come."""

    count: int = Field(ge=1, le=2_000)
    cancel: bool = False


class BranchBody(Part):
    """Targets with a condition; without one they are taken where no other is."""

    condition: str | None = Field(default=None, alias="if")
    to: Targets


class RequestBody(Part):
    """An HTTP request."""

    method: Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"] = "GET"
    url: str = Field(min_length=1, max_length=8_000)
    headers: dict[str, str] = Field(default_factory=dict)
    query: dict[str, Any] = Field(default_factory=dict)
    body: Any = None
    ok: Any = None
    seconds: float | None = Field(default=None, gt=0, le=60)
