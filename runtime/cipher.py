"""Encryption at rest: AES-256-GCM, bound to the place a value is stored in."""

import base64
import os
from dataclasses import dataclass, field
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_NONCE_BYTES: Final = 12
_KEY_BYTES: Final = 32
_TAG_BYTES: Final = 16


class UnreadableCiphertext(ValueError):
    """The value was not encrypted with this key for this place; nothing of it is shown."""


class Cipher:
    """Encrypts short texts; `place` (table, column, row) is authenticated, so a value cannot be moved."""

    def __init__(self, key: str) -> None:
        """Take the key: 32 bytes as URL-safe base64.

        Raises:
            ValueError: the key is not 32 bytes.
        """
        raw = base64.urlsafe_b64decode(key + "=" * (-len(key) % 4))
        if len(raw) != _KEY_BYTES:
            raise ValueError(
                f"the encryption key holds {len(raw)} bytes, it needs {_KEY_BYTES}; see UNPEND_CIPHER_KEY"
            )
        self._aead = AESGCM(raw)

    @staticmethod
    def new_key() -> str:
        """A fresh random key."""
        return base64.urlsafe_b64encode(os.urandom(_KEY_BYTES)).decode().rstrip("=")

    def encrypt(self, text: str, place: str) -> bytes:
        """The text as it may be stored at this place."""
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + self._aead.encrypt(nonce, text.encode(), place.encode())

    def decrypt(self, stored: bytes, place: str) -> str:
        """The text that was stored at this place.

        Raises:
            UnreadableCiphertext: wrong key, wrong place, or a damaged value.
        """
        if len(stored) < _NONCE_BYTES + _TAG_BYTES:
            raise UnreadableCiphertext(f"the value stored at {place} is too short to be one of ours")
        try:
            return self._aead.decrypt(stored[:_NONCE_BYTES], stored[_NONCE_BYTES:], place.encode()).decode()
        except InvalidTag as error:
            raise UnreadableCiphertext(
                f"the value stored at {place} cannot be decrypted with this key"
            ) from error


@dataclass(frozen=True, slots=True)
class Sealed:
    """A value as it is stored; opened only where it is needed, and never shown by accident."""

    stored: bytes = field(repr=False)
    place: str
    cipher: Cipher = field(repr=False)

    def open(self) -> str:
        """The value in clear.

        Raises:
            UnreadableCiphertext: wrong key, wrong place, or a damaged value.
        """
        return self.cipher.decrypt(self.stored, self.place)
