"""Signatures of outgoing webhooks, as Standard Webhooks defines them: HMAC-SHA256 over id, time and body."""

import base64
import hashlib
import hmac
import os
from collections.abc import Mapping, Sequence
from typing import Final

SECRET_PREFIX: Final = "whsec_"  # noqa: S105 - what every secret begins with is none
_SECRET_BYTES: Final = 32
_SCHEME: Final = "v1"


def new_secret() -> str:
    """A fresh secret: `whsec_` and 32 random bytes in base64."""
    return SECRET_PREFIX + base64.b64encode(os.urandom(_SECRET_BYTES)).decode()


def sign(secret: str, message_id: str, timestamp: int, body: bytes) -> str:
    """The signature of a message at this time (Unix seconds): `v1,` and base64.

    Raises:
        ValueError: the secret is not `whsec_` and base64.
    """
    if not secret.startswith(SECRET_PREFIX):
        raise ValueError(f"a webhook secret begins with {SECRET_PREFIX}")
    key = base64.b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)
    signed = f"{message_id}.{timestamp}.".encode() + body
    return f"{_SCHEME},{base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()}"


def signed_headers(secrets: Sequence[str], message_id: str, timestamp: int, body: bytes) -> Mapping[str, str]:
    """The three headers of a message, with one signature for each secret that holds now.

    Raises:
        ValueError: a secret is not `whsec_` and base64.
    """
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(sign(secret, message_id, timestamp, body) for secret in secrets),
    }
