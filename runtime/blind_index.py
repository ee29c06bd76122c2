"""A blind index of phone numbers: equal numbers have equal marks, and a mark does not reveal the number."""

import base64
import hmac
from typing import Final, Self

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from runtime.phone import Phone
from runtime.settings import Settings

_KEY_BYTES: Final = 32
_PURPOSE: Final = b"unpend blind index of phone numbers"


class BlindIndex:
    """Computes HMAC-SHA256 of E.164 numbers under its own key.

    The key is not the cipher's: who can read the index column and knows the cipher's key could otherwise try
    every number there is, and a new cipher key would make every mark worthless.
    """

    def __init__(self, key: str) -> None:
        """Take the key: 32 bytes as URL-safe base64.

        Raises:
            ValueError: the key is not 32 bytes.
        """
        self._key = _bytes_of(key)
        if len(self._key) != _KEY_BYTES:
            raise ValueError(
                f"the index key holds {len(self._key)} bytes, it needs {_KEY_BYTES}; see UNPEND_INDEX_KEY"
            )

    @classmethod
    def of_settings(cls, settings: Settings) -> Self:
        """Create the index of this installation; without a key, under the one derived from the cipher's key."""
        if settings.index_key is not None:
            return cls(settings.index_key.get_secret_value())
        return cls(derived_key(settings.cipher_key.get_secret_value()))

    def mark(self, phone: Phone) -> bytes:
        """Return the mark of a number, 32 bytes."""
        return hmac.digest(self._key, phone.e164.encode(), "sha256")

    def keyed(self, digest: bytes) -> bytes:
        """Return the keyed digest of a text that may hold a number, so that trying all numbers does not find it."""
        return hmac.digest(self._key, b"digest " + digest, "sha256")


def derived_key(cipher_key: str) -> str:
    """Return the index key of an installation that has none: HKDF-SHA256 (RFC 5869) of its cipher key.

    It must be kept when the cipher key is changed, or no number is found under its mark any more.
    """
    derivation = HKDF(algorithm=SHA256(), length=_KEY_BYTES, salt=None, info=_PURPOSE)
    return base64.urlsafe_b64encode(derivation.derive(_bytes_of(cipher_key))).decode().rstrip("=")


def _bytes_of(key: str) -> bytes:
    return base64.urlsafe_b64decode(key + "=" * (-len(key) % 4))
