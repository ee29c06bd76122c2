"""API keys as they are written: a prefix, 256 random bits, a checksum."""

import hashlib
import secrets
from typing import Final

from runtime.mask import mask_text

_PREFIX: Final = "unpend_"
_CHECKSUM_LENGTH: Final = 8
_LENGTH: Final = len(_PREFIX) + 43 + _CHECKSUM_LENGTH
"""Of a key: the prefix, 256 bits as base64url, eight hexadecimal digits of their SHA-256."""


def new_key() -> str:
    """Return a new random key of 256 bits, with a prefix that secret scanners recognise, and its checksum at the end.

    Never one that reads like a phone number somewhere: it would be masked where it is shown, this once.
    """
    body = f"{_PREFIX}{secrets.token_urlsafe(32)}"
    key = f"{body}{_checksum(body)}"
    return key if mask_text(key) == key else new_key()


def is_junk(key: str) -> bool:
    """Whether this has the form of our keys and is none of them: nobody need look for it.

    Keys of before had no checksum and are shorter.
    """
    body, checksum = key[:-_CHECKSUM_LENGTH], key[-_CHECKSUM_LENGTH:]
    return key.startswith(_PREFIX) and len(key) == _LENGTH and _checksum(body) != checksum


def _checksum(body: str) -> str:
    return hashlib.sha256(body.encode()).hexdigest()[:_CHECKSUM_LENGTH]
