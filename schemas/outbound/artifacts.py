"""Artifacts: what is kept whole and named by a reference: `workspace://artifacts/{path}`."""

import hashlib
import re
from enum import StrEnum
from typing import Final

LARGEST: Final = 8 * 1024 * 1024
"""Bytes that an artifact may have."""

_PREFIX: Final = "workspace://artifacts/"
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_MEDIA_TYPE: Final = re.compile(r"[a-z]+/[a-z0-9][a-z0-9.+-]{0,70}(?:; charset=utf-8)?")
_VERSION_DIGITS: Final = 32


class ArtifactKind(StrEnum):
    """What an artifact is."""

    REPORT = "report"
    TRANSCRIPT = "transcript"
    RECORDING = "recording"
    DIAGRAM = "diagram"
    FORM = "form"
    EXPORT = "export"
    LOG = "log"


def reference_of(path: str) -> str:
    """Return the reference by which everybody names the artifact of this path."""
    return f"{_PREFIX}{path}"


def path_of(execution_id: str, name: str, digest: bytes) -> str:
    """Return the path of the version of an execution's artifact that has this digest.

    Raises:
        ValueError: the name may not stand in a path.
    """
    if not _NAME.fullmatch(name):
        raise ValueError(
            "the name of an artifact has up to 100 of A-Za-z0-9._- and begins with a letter or digit"
        )
    return f"{execution_id}/{digest.hex()[:_VERSION_DIGITS]}/{name}"


def digest_of(content: bytes) -> bytes:
    """Return the SHA-256 of a content."""
    return hashlib.sha256(content).digest()


def require_media_type(media_type: str) -> str:
    """Return a media type that may stand in a header.

    Raises:
        ValueError: it is none.
    """
    if not _MEDIA_TYPE.fullmatch(media_type):
        raise ValueError("the media type of an artifact is written as type/subtype, in lower case")
    return media_type
