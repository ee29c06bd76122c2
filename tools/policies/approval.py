"""The approval policy: which actions need a person's approval before the fleet carries them out."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field

from schemas.core.configuration import read_policy_file
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

    def why(self, action_type: str, task_id: str, carried_out_today: int) -> str | None:
        """Return why a person must approve this action, in Chinese; `None` when nobody must.

        Args:
            action_type: The tool that would be called.
            task_id: The suspended order.
            carried_out_today: Actions of this type of the day so far.
        """
        if action_type in self.always:
            return f"{action_type} 须经人工批准"
        limit = self.per_day.get(action_type)
        if limit is not None and carried_out_today >= limit:
            return f"{action_type} 今日已执行{carried_out_today}次, 达到自动执行上限{limit}次, 须经人工批准"
        if _part(action_type, task_id) < round(self.share.get(action_type, 0.0) * _PARTS):
            return f"{action_type} 抽中人工复核, 须经人工批准"
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
