"""The tool call envelope (seed 000 section 五)."""

from typing import Any

from pydantic import Field, field_validator

from schemas.core.form import Answered, Sent, Succeeded, Text, storable_object
from schemas.core.whole_number import WholeNumber
from statemachine.workflow.options.call_limits import CallLimits


class ToolView(Answered):
    """One tool: whose it is, how long a call may take, what it may do to the world."""

    tool_name: str
    tool_version: str
    agent: str
    description: str
    timeout_ms: int
    effect: str
    """`pure`, `record`, `idempotent` or `once`: what a repetition may do."""
    max_retries: int
    retry_delay_ms: int


class ToolList(Answered):
    """Every tool."""

    tools: list[ToolView]


class RetryRequest(Sent):
    """The retry policy that a caller asks for; each number counts up to the tool's own, which holds above it."""

    max_retries: WholeNumber = Field(default=2, ge=0, le=2)
    retry_delay_ms: WholeNumber = Field(default=1000, ge=0, le=60_000)


class ToolCalled(Sent):
    """A tool call in the seed's envelope."""

    tool_name: Text | None = Field(default=None, max_length=64)
    """When given, the name in the path."""
    tool_version: Text = Field(default="1.0", pattern=r"^1(\.[0-9]{1,3})?$")
    input: dict[str, Any]
    timeout_ms: WholeNumber | None = Field(default=None, ge=1, le=30_000)
    """The deadline of one call of the tool; above the tool's own, that one holds."""
    retry_policy: RetryRequest = Field(default_factory=RetryRequest)
    """How a call that failed is repeated, up to the tool's own numbers; never after an unknown outcome that could reach
    a person twice."""

    @property
    def limits(self) -> CallLimits:
        """The limits that the caller named."""
        policy = self.retry_policy.model_dump(exclude_unset=True)
        return CallLimits(timeout_ms=self.timeout_ms, **policy)

    @field_validator("input")
    @classmethod
    def _storable(cls, given: dict[str, Any]) -> dict[str, Any]:
        return storable_object(given)


class ToolAnswered(Succeeded):
    """What a tool returned."""

    output: dict[str, Any]
    execution_time_ms: int
