"""A blind index of phone numbers: equal numbers have equal marks, and a mark does not reveal the number."""

import base64
import hashlib
import hmac
from collections.abc import Sequence
from typing import Final, Self

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from runtime.phone import Phone
from runtime.settings import Settings

_KEY_BYTES: Final = 32
_MARK_BYTES: Final = 32
_NAME_BYTES: Final = 4
_PURPOSE: Final = b"unpend blind index of phone numbers"


class BlindIndex:
    """Computes HMAC-SHA256 of E.164 numbers under its own key; a mark ends in the name of its key.

    The key is not the cipher's: who can read the index column and knows the cipher's key could otherwise try
    every number there is, and a new cipher key would make every mark worthless. New marks are of the current key;
    a number is looked up under the former ones too, for as long as something stored needs them.
    """

    def __init__(self, key: str, old_keys: Sequence[str] = ()) -> None:
        """Take the current key and the former ones: each 32 bytes as URL-safe base64.

        Raises:
            ValueError: a key is not 32 bytes.
        """
        self._keys = {_name_of(raw): raw for raw in map(_checked, (key, *old_keys))}
        self.key_name = next(iter(self._keys))
        """The last four bytes of every mark of the current key; they tell nothing of it."""

    @classmethod
    def of_settings(cls, settings: Settings) -> Self:
        """Create the index of this installation; without a key, under the one derived from the cipher's key."""
        old = [key.strip() for key in settings.index_keys_old.get_secret_value().split(",") if key.strip()]
        if settings.index_key is not None:
            return cls(settings.index_key.get_secret_value(), old)
        return cls(derived_key(settings.cipher_key.get_secret_value()), old)

    @property
    def has_former(self) -> bool:
        """Whether there are former keys, so that a number may have several marks."""
        return len(self._keys) > 1

    def mark(self, phone: Phone) -> bytes:
        """Return the mark of a number under the current key, 32 bytes."""
        return self._mark(self.key_name, phone.e164.encode())

    def marks(self, phone: Phone) -> tuple[bytes, ...]:
        """Return every mark that a number may be stored under; the first is of the current key."""
        return tuple(self._mark(name, phone.e164.encode()) for name in self._keys)

    def keyed(self, digest: bytes) -> tuple[bytes, ...]:
        """Return the keyed digests of a text, so that trying all texts does not find it; as those of a number."""
        return tuple(self._mark(name, b"digest " + digest) for name in self._keys)

    def _mark(self, name: bytes, told: bytes) -> bytes:
        return hmac.digest(self._keys[name], told, "sha256")[: _MARK_BYTES - _NAME_BYTES] + name


def derived_key(cipher_key: str) -> str:
    """Return the index key of an installation that has none: HKDF-SHA256 (RFC 5869) of its cipher key.

    It must be kept when the cipher key is changed, or no number is found under its mark any more.
    """
    derivation = HKDF(algorithm=SHA256(), length=_KEY_BYTES, salt=None, info=_PURPOSE)
    return base64.urlsafe_b64encode(derivation.derive(_bytes_of(cipher_key))).decode().rstrip("=")


def _name_of(key: bytes) -> bytes:
    return hashlib.sha256(b"unpend index key name" + key).digest()[:_NAME_BYTES]


def _checked(key: str) -> bytes:
    raw = _bytes_of(key)
    if len(raw) != _KEY_BYTES:
        raise ValueError(f"the index key holds {len(raw)} bytes, it needs {_KEY_BYTES}; see UNPEND_INDEX_KEY")
    return raw


def _bytes_of(key: str) -> bytes:
    return base64.urlsafe_b64decode(key + "=" * (-len(key) % 4))
