"""Short references for attempt keys, for providers that limit the length: 15 characters, indexed."""

import hashlib
from typing import Final

REFERENCE_LENGTH: Final = 15
"""What Aliyun's voice service takes as `OutId`, in bytes."""

_EXTEND_DIGITS: Final = 4


def reference_of(key: str) -> str:
    """Return the short reference of a key: the head of its MD5, which PostgreSQL computes in the same way."""
    return hashlib.md5(key.encode(), usedforsecurity=False).hexdigest()[:REFERENCE_LENGTH]


def extend_code_of(key: str) -> str:
    """Return the four-digit sender extension of a text message; the reply to it carries the same digits."""
    return f"{int(reference_of(key), 16) % 10**_EXTEND_DIGITS:0{_EXTEND_DIGITS}}"
