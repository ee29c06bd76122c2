"""The value of a card's button: the answer it gives, with an HMAC over it, so that nobody else can make one."""

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, Self

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from runtime.settings import Settings

_PURPOSE: Final = b"unpend buttons of cards"
_KEY_BYTES: Final = 32
_LONGEST: Final = 1_024
"""Characters that a button may carry in every messenger."""


class TokenFault(StrEnum):
    """Why a button's value counts for nothing."""

    FORGED = "forged"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True, kw_only=True)
class CardChoice:
    """What a button answers, to what, and what was known when it was shown."""

    interrupt_id: str
    payload: Mapping[str, Any]
    label: str
    """What the button says."""
    seen: int
    """As the question's form counts what is known of its task: its version."""
    expires_at: int
    """Unix seconds."""


class CardTokens:
    """Makes and reads the values, under keys derived (HKDF-SHA256) from the keys of the cipher.

    The first key signs; what the former ones signed holds until it expires.
    """

    def __init__(self, cipher_keys: Sequence[str]) -> None:
        """Take the current key of the cipher and the former ones."""
        self._keys = [_derived(key) for key in cipher_keys]

    @classmethod
    def of_settings(cls, settings: Settings) -> Self:
        """Those of this installation."""
        old = settings.cipher_keys_old.get_secret_value().split(",")
        return cls([settings.cipher_key.get_secret_value(), *(key.strip() for key in old if key.strip())])

    def make(self, choice: CardChoice) -> str:
        """The value of a button.

        Raises:
            ValueError: it is longer than a button may carry.
        """
        fields = [choice.interrupt_id, choice.payload, choice.label, choice.seen, choice.expires_at]
        said = json.dumps(fields, ensure_ascii=False, separators=(",", ":")).encode()
        value = f"{_text(said)}.{_text(_mac(self._keys[0], said))}"
        if len(value) > _LONGEST:
            raise ValueError(f"a button may carry {_LONGEST} characters, this one would carry {len(value)}")
        return value

    def read(self, value: str, now: float) -> CardChoice | TokenFault:
        """What a button's value answers, where we made it and its time is not over."""
        written, _, mac = value[:_LONGEST].partition(".")
        said, given = _bytes(written), _bytes(mac)
        # Every key is tried, so that the time says nothing of which one fits.
        fitting = [hmac.compare_digest(_mac(key, said), given) for key in self._keys]
        if not any(fitting):
            return TokenFault.FORGED
        interrupt_id, payload, label, seen, expires_at = json.loads(said)
        if now >= expires_at:
            return TokenFault.EXPIRED
        return CardChoice(
            interrupt_id=interrupt_id, payload=payload, label=label, seen=seen, expires_at=expires_at
        )


def _derived(cipher_key: str) -> bytes:
    derivation = HKDF(algorithm=SHA256(), length=_KEY_BYTES, salt=None, info=_PURPOSE)
    return derivation.derive(base64.urlsafe_b64decode(cipher_key + "=" * (-len(cipher_key) % 4)))


def _mac(key: bytes, said: bytes) -> bytes:
    return hmac.digest(key, said, hashlib.sha256)


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _bytes(text: str) -> bytes:
    """What a text of ours stands for; nothing for any other."""
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (ValueError, binascii.Error):
        return b""
