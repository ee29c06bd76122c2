"""What the caller of a step asks of its tool: a shorter deadline, fewer retries; never more than the tool's own."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Final

from statemachine.workflow.options.retry import RetryPolicy

CALL_LIMITS: Final = "call_limits"
"""Under this name the limits stand in the input of the step that was called for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallLimits:
    """The limits of one call as its caller named them; `None` is the tool's own."""

    timeout_ms: int | None = None
    max_retries: int | None = None
    retry_delay_ms: int | None = None

    @classmethod
    def of(cls, given: Mapping[str, object]) -> "CallLimits":
        """The limits in the input of a step."""
        written = given.get(CALL_LIMITS)
        known = written if isinstance(written, Mapping) else {}
        return cls(**{name: value for name in cls.__slots__ if isinstance(value := known.get(name), int)})

    def written(self) -> dict[str, object]:
        """What stands in the input of the step; nothing where nothing was named."""
        named = {name: value for name, value in asdict(self).items() if value is not None}
        return {CALL_LIMITS: named} if named else {}

    def seconds(self, own: float) -> float:
        """The deadline of one call: the caller's, at most the tool's own."""
        return own if self.timeout_ms is None else min(own, self.timeout_ms / 1000)

    def retry(self, own: RetryPolicy) -> RetryPolicy:
        """The retry policy: the caller's numbers, each at most the tool's own."""
        return replace(
            own,
            max_retries=_least(self.max_retries, own.max_retries),
            delay_ms=_least(self.retry_delay_ms, own.delay_ms),
        )

    def longest_seconds(self, own_seconds: float, own: RetryPolicy) -> float:
        """How long a call and its retries may take together."""
        policy = self.retry(own)
        waits = (policy.delay(tries) for tries in range(1, policy.max_retries + 1))
        waited = sum(wait.total_seconds() for wait in waits if wait is not None)
        return self.seconds(own_seconds) * (1 + policy.max_retries) + waited


NO_LIMITS: Final = CallLimits()
"""Those of the tool alone."""


def without_limits(given: Mapping[str, object]) -> dict[str, object]:
    """The input of a step without its caller's limits: what is to be done, not how long it may take."""
    return {name: value for name, value in given.items() if name != CALL_LIMITS}


def _least(asked: int | None, own: int) -> int:
    return own if asked is None else min(asked, own)
