"""Artifacts for tests, as a step would keep them."""

from datetime import datetime
from typing import Any

from schemas.outbound.artifacts import ArtifactKind
from schemas.outbound.effects import ArtifactKept, ProductEvent
from schemas.outbound.product_events import ProductEventType
from tasks.outbound.artifacts import keep

WORDS = "客户说: 下周三上午"


def ready(execution_id: str, task_id: str | None = None) -> ProductEvent:
    """The event that a report is ready."""
    kind = ProductEventType.REPORT_READY
    return ProductEvent(
        execution_id=execution_id,
        task_id=task_id,
        event_type=kind.value,
        stage=kind.stage.value,
        title=kind.value,
        parameters={"report": "日报"},
        status="ready",
    )


def artifact_of(execution_id: str, expires_at: datetime | None = None, **changes: Any) -> ArtifactKept:
    """A transcript of an execution."""
    given: dict[str, Any] = {"content": WORDS, "sensitive": True} | changes
    kept = keep(
        ready(execution_id),
        "words.txt",
        given["content"],
        kind=ArtifactKind.TRANSCRIPT,
        media_type="text/plain; charset=utf-8",
        sensitive=given["sensitive"],
        expires_at=expires_at,
    )
    artifact = kept.effects[0]
    assert isinstance(artifact, ArtifactKept)
    return artifact
