"""Shadow mode: the share of decisions that a person makes until the model's precision is proven."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field

from schemas.core.configuration import read_policy_file
from statemachine.orders.intents import INTENTS, Level2

REASON: Final = "shadow_mode"
"""The reason of a review that shadow mode asks for."""

_WHOLE_PERCENT: Final = 100.0
_POINTS: Final = 2**64

Share = Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)]


@dataclass(frozen=True, slots=True, kw_only=True)
class ShadowMode:
    """Percentages: `by_intent` for the intents named there, `share_percent` for all others."""

    seed: int
    share_percent: float
    by_intent: Mapping[Level2, float]

    def share(self, level2: Level2) -> float:
        """Return the percentage of this intent's answers that a person decides."""
        return self.by_intent.get(level2, self.share_percent)

    def takes(self, level2: Level2, *, task_id: str, contact_id: str) -> bool:
        """Whether a person decides this answer; always the same for one seed, task and contact.

        A greater share takes all that a smaller one does. An intent that leads to no action is never taken: a
        person decides it anyway.
        """
        if INTENTS[level2].action is None:
            return False
        digest = hashlib.sha256(f"{self.seed}:{task_id}:{contact_id}".encode()).digest()
        return int.from_bytes(digest[:8], "big") < self.share(level2) / _WHOLE_PERCENT * _POINTS


class _Document(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    seed: int
    share_percent: Share
    intents: Mapping[Level2, Share] = Field(default_factory=dict)


def load_shadow_mode(path: Path) -> ShadowMode:
    """Read `config/policies/shadow.yaml`.

    Raises:
        PolicyFileError: the file cannot be used; the message names the field.
    """
    document = read_policy_file(path, _Document)
    return ShadowMode(
        seed=document.seed,
        share_percent=document.share_percent,
        by_intent=MappingProxyType(dict(document.intents)),
    )
