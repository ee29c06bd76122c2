"""The approval policy: which actions need a person's approval before the fleet carries them out."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field

from schemas.core.configuration import read_policy_file
from schemas.people.why import Why, WhyCode
from tools.policies.permissions import ActionType

_PARTS: Final = 10_000
"""How finely a share is taken."""


class _Document(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    always: frozenset[ActionType] = frozenset()
    share: Mapping[ActionType, Annotated[float, Field(ge=0, le=1)]] = Field(default_factory=dict)
    per_day: Mapping[ActionType, Annotated[int, Field(ge=0, le=1_000_000)]] = Field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ApprovalPolicy:
    """The conditions under which a person must approve an action."""

    always: frozenset[str]
    share: Mapping[str, float]
    per_day: Mapping[str, int]

    def why(self, action_type: str, task_id: str, carried_out_today: int) -> Why | None:
        """Return why a person must approve this action; `None` when nobody must.

        Args:
            action_type: The tool that would be called.
            task_id: The suspended order.
            carried_out_today: Actions of this type of the day so far.
        """
        if action_type in self.always:
            return Why(WhyCode.APPROVAL_ALWAYS, {"action": action_type})
        limit = self.per_day.get(action_type)
        if limit is not None and carried_out_today >= limit:
            return Why(
                WhyCode.APPROVAL_LIMIT, {"action": action_type, "done": carried_out_today, "limit": limit}
            )
        if _part(action_type, task_id) < round(self.share.get(action_type, 0.0) * _PARTS):
            return Why(WhyCode.APPROVAL_SAMPLE, {"action": action_type})
        return None

    @property
    def never_asks(self) -> bool:
        """Whether no action ever needs approval."""
        return not (self.always or self.per_day or any(self.share.values()))


def load_approvals(path: Path) -> ApprovalPolicy:
    """Read `config/policies/approval.yaml`.

    Raises:
        PolicyFileError: the file cannot be used; the message says where and why.
    """
    document = read_policy_file(path, _Document)
    return ApprovalPolicy(
        always=frozenset(document.always),
        share={str(name): share for name, share in document.share.items()},
        per_day={str(name): limit for name, limit in document.per_day.items()},
    )


def _part(action_type: str, task_id: str) -> int:
    """Where of `_PARTS` equal parts this order falls: chance, but the same at every look."""
    digest = hashlib.sha256(f"{action_type}\n{task_id}".encode()).digest()
    return int.from_bytes(digest[:8]) % _PARTS
