"""The twelve tools with agents, time limits, effects and retries, as one table (SPEC.md §3, seed 000 section 五)."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

from statemachine.workflow.options.retry import RetryPolicy

TOOL_RETRY: Final = RetryPolicy(max_retries=2, delay_ms=1000)
"""What the call envelope of the seed asks for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """One tool. `timeout_ms` limits one call; `effect` says whether a call may be repeated."""

    name: str
    agent: str
    timeout_ms: int
    effect: Literal["pure", "record", "idempotent", "once"]
    retry: RetryPolicy = TOOL_RETRY

    @property
    def timeout_seconds(self) -> float:
        """The limit of one call in seconds."""
        return self.timeout_ms / 1000


TOOLS: Final[Mapping[str, Tool]] = MappingProxyType(
    {
        tool.name: tool
        for tool in (
            Tool(name="contact_user", agent="contact", timeout_ms=30_000, effect="once"),
            Tool(name="send_sms", agent="contact", timeout_ms=5_000, effect="once"),
            Tool(name="send_im", agent="contact", timeout_ms=5_000, effect="once"),
            Tool(name="classify_intent", agent="triage", timeout_ms=2_000, effect="pure"),
            Tool(name="validate_classification", agent="triage", timeout_ms=1_000, effect="pure"),
            Tool(name="update_appointment", agent="action", timeout_ms=5_000, effect="idempotent"),
            Tool(name="notify_engineer", agent="action", timeout_ms=3_000, effect="idempotent"),
            Tool(name="cancel_order", agent="action", timeout_ms=5_000, effect="idempotent"),
            Tool(name="schedule_followup", agent="action", timeout_ms=2_000, effect="record"),
            Tool(name="log_event", agent="audit", timeout_ms=1_000, effect="record"),
            Tool(name="trigger_alert", agent="audit", timeout_ms=1_000, effect="record"),
            Tool(name="generate_report", agent="audit", timeout_ms=10_000, effect="pure"),
        )
    },
)


def seconds_of(*names: str) -> float:
    """What one call of each of these tools may take, one after another."""
    return sum(TOOLS[name].timeout_seconds for name in names)
