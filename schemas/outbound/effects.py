"""Effects that send something out: events of the business, written with the step that caused them."""

from dataclasses import dataclass
from typing import Literal

from schemas.core.effects import Effect


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductEvent(Effect):
    """An event for the outside: stable business fields only (SPEC.md §10)."""

    execution_id: str
    task_id: str | None
    event_type: str
    stage: str
    title: str
    status: Literal["running", "waiting", "ready", "failed"]
    artifact_ref: str | None = None
