"""Keeps artifacts with the events that tell of them, and reads them."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Final

from runtime.mask import mask_text
from schemas.core.effects import Effect
from schemas.outbound.artifacts import (
    LARGEST,
    ArtifactKind,
    digest_of,
    path_of,
    reference_of,
    require_media_type,
)
from schemas.outbound.effects import ArtifactKept, ProductEvent
from storage.access.system_audit import SystemAudit
from storage.core.database import Database
from storage.outbound.artifacts import Artifacts, StoredArtifact

LOOKED_AT: Final = "artifact_shown"
"""What the audit calls a look at a sensitive artifact."""


class ArtifactUnread(StrEnum):
    """Why there is nothing to read."""

    UNKNOWN = "unknown"
    """There is none of this path, its time is over, or it was erased."""
    ELSEWHERE = "elsewhere"
    """It is kept by reference: the provider has it."""
    FORBIDDEN = "forbidden"
    """It is sensitive, and who asks may not see words."""


@dataclass(frozen=True, slots=True)
class ArtifactReader:
    """Who reads, under which request, and whether they may see what customers said."""

    actor: str
    request_id: str
    sees_words: bool


@dataclass(frozen=True, slots=True)
class NewArtifact:
    """A version that is to be kept, and how it is told of; the reference is known before it is recorded."""

    reference: str
    effects: tuple[Effect, ...]


def keep(
    event: ProductEvent,
    name: str,
    content: bytes | str,
    *,
    kind: ArtifactKind,
    media_type: str,
    sensitive: bool = False,
    expires_at: datetime | None = None,
) -> NewArtifact:
    """Return the effects that keep a content and tell of it by this event: both are recorded, or neither.

    The reference is made of the execution, the content and the name: the same again is the same version.

    Args:
        event: What people are told; it gets the reference.
        name: What the artifact is called, as a file is.
        content: What is kept.
        kind: What it is; a recording is kept by `refer`.
        media_type: How it is read.
        sensitive: Whether it may hold what customers said, or who they are: encrypted, shown to few, on record.
        expires_at: When it is to be gone, on the business clock.

    Raises:
        ValueError: the name or the media type cannot be used, or the content is larger than `LARGEST`.
    """
    held = content.encode() if isinstance(content, str) else content
    if len(held) > LARGEST:
        raise ValueError(f"an artifact has at most {LARGEST:,} bytes")
    digest = digest_of(held)
    artifact = ArtifactKept(
        path=path_of(event.execution_id, name, digest),
        kind=kind,
        media_type=require_media_type(media_type),
        execution_id=event.execution_id,
        task_id=event.task_id,
        sensitive=sensitive,
        expires_at=expires_at,
        sha256=digest,
        content=held,
    )
    return _told(artifact, event)


def refer(
    event: ProductEvent, name: str, location: str, *, media_type: str, expires_at: datetime | None = None
) -> NewArtifact:
    """Return the effects that keep where a recording is, which is its provider's; always sensitive.

    Raises:
        ValueError: the name or the media type cannot be used.
    """
    artifact = ArtifactKept(
        path=path_of(event.execution_id, name, digest_of(location.encode())),
        kind=ArtifactKind.RECORDING,
        media_type=require_media_type(media_type),
        execution_id=event.execution_id,
        task_id=event.task_id,
        sensitive=True,
        expires_at=expires_at,
        location=location,
    )
    return _told(artifact, event)


def _told(artifact: ArtifactKept, event: ProductEvent) -> NewArtifact:
    reference = reference_of(artifact.path)
    return NewArtifact(reference, (artifact, replace(event, artifact_ref=reference)))


def find(database: Database, path: str, reader: ArtifactReader) -> StoredArtifact | ArtifactUnread:
    """Return what is known of an artifact that may be read here by this reader, or why it may not."""
    with database.looks() as work:
        found = Artifacts(work).find(path)
    if found is None or (not found.held and found.location is None):
        return ArtifactUnread.UNKNOWN
    if found.sensitive and not reader.sees_words:
        return ArtifactUnread.FORBIDDEN
    return found if found.held else ArtifactUnread.ELSEWHERE


def read(
    database: Database, artifact: StoredArtifact, reader: ArtifactReader, *, first: int, size: int
) -> bytes | None:
    """Return a piece of an artifact that was found; each look at a sensitive one is on record before it is seen.

    `None` where it has gone since.

    Raises:
        UnreadableCiphertext: it was encrypted with a key that is gone; nothing was written.
    """
    with database.transaction() as work:
        found = Artifacts(work).find(artifact.path)
        if found is None or not found.held:
            return None
        content = Artifacts(work).content(found, first, size)
        if found.sensitive:
            detail = {
                "artifact": mask_text(found.path),
                "task_id": found.task_id,
                "execution_id": found.execution_id,
                "first": first,
                "bytes": len(content),
                "request_id": reader.request_id,
            }
            SystemAudit(work).write(reader.actor, LOOKED_AT, detail)
    return content
