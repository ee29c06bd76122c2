"""An attempt's key where a provider takes a shorter name: 15 characters, found again by an index."""

import hashlib
from typing import Final

REFERENCE_LENGTH: Final = 15
"""What Aliyun's voice service takes as `OutId`, in bytes."""

_EXTEND_DIGITS: Final = 4


def reference_of(key: str) -> str:
    """The same short name for the same key: the head of its MD5, which PostgreSQL computes alike."""
    return hashlib.md5(key.encode(), usedforsecurity=False).hexdigest()[:REFERENCE_LENGTH]


def extend_code_of(key: str) -> str:
    """Four digits a text is sent under, so that its reply says which text it answers."""
    return f"{int(reference_of(key), 16) % 10**_EXTEND_DIGITS:0{_EXTEND_DIGITS}}"
