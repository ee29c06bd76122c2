"""Signatures of webhooks, as Standard Webhooks defines them: HMAC-SHA256 over id, time and body."""

import base64
import hmac
import os
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

from standardwebhooks.webhooks import Webhook

SECRET_PREFIX: Final = "whsec_"  # noqa: S105 - what every secret begins with is none
_SECRET_BYTES: Final = 32
_TOLERANCE_SECONDS: Final = 300
_LONGEST_ID: Final = 128
_LONGEST_SIGNATURES: Final = 1024


class UnverifiedWebhook(Exception):
    """A webhook is not signed as it must be, or its time is not now."""


def new_secret() -> str:
    """A fresh secret: `whsec_` and 32 random bytes in base64."""
    return SECRET_PREFIX + base64.b64encode(os.urandom(_SECRET_BYTES)).decode()


def sign(secret: str, message_id: str, timestamp: int, body: bytes) -> str:
    """The signature of a message, UTF-8, at this time (Unix seconds): `v1,` and base64.

    Raises:
        ValueError: the secret is not `whsec_` and base64.
    """
    # The library would also take a secret without the prefix, and pass over what is not base64.
    key = base64.b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)
    if not (secret.startswith(SECRET_PREFIX) and key):
        raise ValueError(f"a webhook secret is {SECRET_PREFIX} and base64")
    return Webhook(key).sign(message_id, datetime.fromtimestamp(timestamp, UTC), body.decode())


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


def verified_id(secret: str, headers: Mapping[str, str], body: bytes, now: float) -> str:
    """The id of a webhook that came with these headers at this time (Unix seconds), when it is signed with the secret.

    Raises:
        UnverifiedWebhook: a header is missing, none of its signatures fits, or it was signed at another time.
        ValueError: the secret is not `whsec_` and base64.
    """
    message_id, timestamp, signatures = (
        headers.get(f"webhook-{name}", "") for name in ("id", "timestamp", "signature")
    )
    if not 0 < len(message_id) <= _LONGEST_ID or len(signatures) > _LONGEST_SIGNATURES:
        raise UnverifiedWebhook("webhook-id or webhook-signature is missing, or too long")
    if not (
        timestamp.isascii() and timestamp.isdigit() and abs(int(timestamp[:12]) - now) <= _TOLERANCE_SECONDS
    ):
        raise UnverifiedWebhook("webhook-timestamp is not within 5 minutes of now")
    try:
        expected = sign(secret, message_id, int(timestamp), body)
    except UnicodeDecodeError as error:
        raise UnverifiedWebhook("the body is not UTF-8") from error
    given = [one.encode() for one in signatures.split(" ")]
    if not any(hmac.compare_digest(expected.encode(), one) for one in given):
        raise UnverifiedWebhook("no signature fits")
    return message_id
