"""Encryption at rest: AES-256-GCM under named keys, bound to the place where a value is stored."""

import base64
import hashlib
import hmac
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from runtime.settings import Settings

_NONCE_BYTES: Final = 12
_KEY_BYTES: Final = 32
_TAG_BYTES: Final = 16
_VERSION: Final = b"\x01"
_NAME_BYTES: Final = 4
_HEAD_BYTES: Final = len(_VERSION) + _NAME_BYTES
PRINTED: Final = r"enc1\.([0-9a-f]{8})\.([A-Za-z0-9_-]{38,})"
"""The form of an encrypted value in a text, as Python and PostgreSQL read it."""
_PRINTED: Final = re.compile(PRINTED)


class UnreadableCiphertext(ValueError):
    """The value was not encrypted with any of these keys for this place; nothing of it is shown."""


class Cipher:
    """Encrypts short texts; `place` (table, column, row) is authenticated, so a value cannot be moved.

    Every ciphertext begins with the name of its key. It is written with the current key and read with any: the
    current one, and the old ones for as long as something stored names them. In a binary column it is
    `01 · 4 bytes of key name · nonce · ciphertext`, in a text `enc1.<key name>.<base64 of nonce and ciphertext>`.
    """

    def __init__(self, key: str, old_keys: Sequence[str] = ()) -> None:
        """Take the current key and those it may still meet: each 32 bytes as URL-safe base64.

        Raises:
            ValueError: a key is not 32 bytes.
        """
        self.key_name = name_of_key(key)
        """The current key's name: eight hexadecimal digits that tell nothing of it."""
        self._aead = AESGCM(_bytes_of(key))
        self._name = bytes.fromhex(self.key_name)
        self._digest_key = hmac.digest(_bytes_of(key), b"unpend digests", "sha256")
        self._keys = {
            self._name: self._aead,
            **{bytes.fromhex(name_of_key(old)): AESGCM(_bytes_of(old)) for old in old_keys},
        }

    @classmethod
    def of_settings(cls, settings: Settings) -> Self:
        """Create the cipher of this installation."""
        old = settings.cipher_keys_old.get_secret_value().split(",")
        return cls(settings.cipher_key.get_secret_value(), [key.strip() for key in old if key.strip()])

    @staticmethod
    def new_key() -> str:
        """Return a new random key."""
        return base64.urlsafe_b64encode(os.urandom(_KEY_BYTES)).decode().rstrip("=")

    def encrypt(self, text: str, place: str) -> bytes:
        """Encrypt a text for this place."""
        nonce = os.urandom(_NONCE_BYTES)
        return _VERSION + self._name + nonce + self._aead.encrypt(nonce, text.encode(), place.encode())

    def decrypt(self, stored: bytes, place: str) -> str:
        """Decrypt a value stored at this place.

        Raises:
            UnreadableCiphertext: no key of ours, wrong place, or a damaged value.
        """
        if len(stored) < _NONCE_BYTES + _TAG_BYTES:
            raise UnreadableCiphertext(f"the value stored at {place} is too short to be one of ours")
        named = self._keys.get(stored[len(_VERSION) : _HEAD_BYTES]) if stored.startswith(_VERSION) else None
        if named is not None:
            text = _opened(named, stored[_HEAD_BYTES:], place)
            if text is not None:
                return text
        # From before keys had names, each may be meant.
        for key in self._keys.values():
            text = _opened(key, stored, place)
            if text is not None:
                return text
        raise UnreadableCiphertext(f"the value stored at {place} cannot be decrypted with this key")

    def keyed(self, digest: bytes) -> bytes:
        """Return the keyed digest of an encrypted text, so that it cannot be found by trying all texts."""
        return hmac.digest(self._digest_key, digest, "sha256")

    def seal_text(self, text: str, place: str) -> str:
        """Encrypt a text for this place of a text or JSON column."""
        sealed = self.encrypt(text, place)[_HEAD_BYTES:]
        return f"enc1.{self.key_name}.{base64.urlsafe_b64encode(sealed).decode().rstrip('=')}"

    def open_text(self, printed: str, place: str) -> str:
        """Decrypt a text of a text or JSON column; an old plain text is returned unchanged.

        Raises:
            UnreadableCiphertext: no key of ours, wrong place, or a damaged value.
        """
        found = _PRINTED.fullmatch(printed)
        if found is None:
            return printed
        if len(found[2]) % 4 == 1:
            raise UnreadableCiphertext(f"the value stored at {place} is no base64")
        return self.decrypt(_VERSION + bytes.fromhex(found[1]) + _decoded(found[2]), place)


@dataclass(frozen=True, slots=True)
class Sealed:
    """An encrypted value, decrypted only where it is needed, so that it is never shown by accident."""

    stored: bytes = field(repr=False)
    place: str
    cipher: Cipher = field(repr=False)

    def open(self) -> str:
        """Decrypt the value.

        Raises:
            UnreadableCiphertext: wrong key, wrong place, or a damaged value.
        """
        return self.cipher.decrypt(self.stored, self.place)

    def holds(self, text: str) -> bool:
        """Whether the value is this one; no when it cannot be decrypted."""
        try:
            return hmac.compare_digest(self.open().encode(), text.encode())
        except UnreadableCiphertext:
            return False


@dataclass(frozen=True, slots=True)
class SealedText:
    """An encrypted value of a text column, decrypted only where it is needed."""

    stored: str = field(repr=False)
    place: str
    cipher: Cipher = field(repr=False)

    def open(self) -> str:
        """Decrypt the value.

        Raises:
            UnreadableCiphertext: wrong key, wrong place, or a damaged value.
        """
        return self.cipher.open_text(self.stored, self.place)


def is_printed(value: object) -> bool:
    """Whether a value of a text or JSON column is encrypted."""
    return isinstance(value, str) and _PRINTED.fullmatch(value) is not None


def name_of_key(key: str) -> str:
    """Return a key's name, as stored in encrypted values.

    Raises:
        ValueError: the key is not 32 bytes.
    """
    return hashlib.sha256(b"unpend key name" + _bytes_of(key)).hexdigest()[: 2 * _NAME_BYTES]


def _bytes_of(key: str) -> bytes:
    raw = _decoded(key)
    if len(raw) != _KEY_BYTES:
        raise ValueError(
            f"the encryption key holds {len(raw)} bytes, it needs {_KEY_BYTES}; see UNPEND_CIPHER_KEY"
        )
    return raw


def _decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _opened(key: AESGCM, sealed: bytes, place: str) -> str | None:
    if len(sealed) < _NONCE_BYTES + _TAG_BYTES:
        return None
    try:
        return key.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], place.encode()).decode()
    except (InvalidTag, UnicodeDecodeError):
        return None
