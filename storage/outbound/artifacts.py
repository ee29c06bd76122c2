"""Artifacts: immutable versions of what is kept whole, the sensitive ones encrypted."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import text

from schemas.outbound.effects import ArtifactKept
from storage.core.unit_of_work import Repository

# The path is of what it holds: the same again is the version that is there.
_KEEP = text(
    "INSERT INTO artifacts (path, kind, media_type, bytes, sha256, task_id, execution_id, sensitive, content, "
    "location, expires_at) VALUES (:path, :kind, :media_type, :bytes, :sha256, :task_id, :execution_id, :sensitive, "
    ":content, :location, :expires_at) ON CONFLICT (path) DO NOTHING"
)
_IS_READ: Final = "path = :path AND (expires_at IS NULL OR expires_at > (SELECT business_now()))"
_FIND = text(
    "SELECT path, kind, media_type, bytes AS size, sha256, task_id, execution_id, sensitive, location, "
    f"content IS NOT NULL AS held FROM artifacts WHERE {_IS_READ}"
)
_PIECE = text(
    f"SELECT substring(content FROM :first FOR :size) FROM artifacts WHERE {_IS_READ} AND NOT sensitive"
)
_SEALED = text(f"SELECT content FROM artifacts WHERE {_IS_READ} AND sensitive")


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredArtifact:
    """What is known of an artifact; `held` is whether its content is here, and was not erased."""

    path: str
    kind: str
    media_type: str
    size: int | None
    sha256: bytes | None
    task_id: str | None
    execution_id: str
    sensitive: bool
    location: str | None = field(repr=False)
    held: bool


@dataclass(frozen=True, slots=True)
class Artifacts(Repository):
    """The only code that writes `artifacts`, but for what removes, erases and encrypts anew."""

    def keep(self, artifacts: Sequence[ArtifactKept]) -> None:
        """Keep these versions; one that is there already is left as it is."""
        if artifacts:
            self.connection.execute(_KEEP, [self._row(each) for each in artifacts])

    def find(self, path: str) -> StoredArtifact | None:
        """What is known of the artifact of this path; `None` where there is none, or its time is over."""
        row = self.connection.execute(_FIND, {"path": path}).one_or_none()
        if row is None:
            return None
        return StoredArtifact(**{**row._mapping, "sha256": None if row.sha256 is None else bytes(row.sha256)})

    def content(self, artifact: StoredArtifact, first: int, size: int) -> bytes:
        """So many bytes of the content, from this one on; of one that is not sensitive no other is read.

        Raises:
            UnreadableCiphertext: it was encrypted with a key that is gone.
        """
        if artifact.sensitive:
            sealed = self.connection.execute(_SEALED, {"path": artifact.path}).scalar_one()
            opened = base64.b64decode(self.cipher.decrypt(bytes(sealed), _place(artifact.path)))
            return opened[first : first + size]
        given = {"path": artifact.path, "first": first + 1, "size": size}
        return bytes(self.connection.execute(_PIECE, given).scalar_one())

    def _row(self, artifact: ArtifactKept) -> dict[str, object]:
        content = artifact.content
        stored = content
        if content is not None and artifact.sensitive:
            stored = self.cipher.encrypt(base64.b64encode(content).decode(), _place(artifact.path))
        return {
            "path": artifact.path,
            "kind": artifact.kind.value,
            "media_type": artifact.media_type,
            "bytes": None if content is None else len(content),
            "sha256": artifact.sha256,
            "task_id": artifact.task_id,
            "execution_id": artifact.execution_id,
            "sensitive": artifact.sensitive,
            "content": stored,
            "location": artifact.location,
            "expires_at": artifact.expires_at,
        }


def _place(path: str) -> str:
    return f"artifacts.content.{path}"
