"""Effects that ask for a person: alerts, raised with the step that caused them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from schemas.core.effects import Effect


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertRaised(Effect):
    """Something a person should look at."""

    alert_type: str
    severity: Literal["info", "warning", "critical"]
    message: str
    task_id: str | None = None
    escalated_to: str = "quality_inspector"
    metadata: Mapping[str, object] = field(default_factory=dict)
