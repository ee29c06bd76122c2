"""The role that handles an alert first: by type and severity (seed 000 section 四 5️⃣)."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

ESCALATIONS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "low_confidence": "quality_inspector",
        "review_overdue": "quality_inspector",
        "review_stuck": "operations",
        "complaint": "customer_care",
        "customer_called": "customer_care",
        "do_not_contact": "customer_care",
        "wrong_number": "customer_care",
        "contact_failed": "customer_care",
        "intake_rejected": "operations",
        "task_rejected": "operations",
        "agent_error": "operations",
        "tool_failed": "operations",
        "timeout": "operations",
        "injection": "security_officer",
        "permission_denied": "security_officer",
    },
)
"""The role that looks at alerts of a type."""

_OTHERWISE: Final = "quality_inspector"
_CRITICAL: Final = "duty_manager"


def escalated_to(alert_type: str, severity: str) -> str:
    """The role an alert goes to; what is critical goes to whoever is on duty, whatever it is."""
    return _CRITICAL if severity == "critical" else ESCALATIONS.get(alert_type, _OTHERWISE)
