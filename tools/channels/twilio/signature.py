"""Twilio's webhook signature: HMAC over the address it called and the form it sent, sorted by name."""

import base64
import hashlib
import hmac
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final
from urllib.parse import SplitResult, urlsplit, urlunsplit

from tools.channels.signature import SignatureError

SIGNATURE_HEADER: Final = "X-Twilio-Signature"
SETTINGS_HEADER: Final = "X-Twilio-Webhooks-Signature-Settings"
"""Names the algorithm where it is not HMAC-SHA1: `key=…,algorithm=HMAC_SHA256`."""

_DIGESTS: Final[Mapping[str, Callable[..., Any]]] = {
    "HMAC_SHA1": hashlib.sha1,
    "HMAC_SHA256": hashlib.sha256,
}
_PORTS: Final = {"https": 443, "http": 80}

Form = Sequence[tuple[str, str]]
"""A form's fields in the order they came."""


def sign(token: str, url: str, form: Form, algorithm: str = "HMAC_SHA1") -> str:
    """Return the signature of a request to this address with this form."""
    signed = url + "".join(name + value for name, value in sorted(set(form)))
    mac = hmac.new(token.encode(), signed.encode("utf-8", "surrogatepass"), _DIGESTS[algorithm])
    return base64.b64encode(mac.digest()).decode()


def verify(tokens: Iterable[str], *, url: str, form: Form, signature: str, settings: str = "") -> None:
    """Check that one of the tokens signed this request.

    Args:
        tokens: The account's token; the old and the new one while it is being changed.
        url: The address as Twilio knows it, query included. Whether it names its port does not matter:
            Twilio signs either form.
        form: The body's fields.
        signature: The signature header, as received.
        settings: The settings header, as received; empty when there was none.

    Raises:
        SignatureError: no signature fits, or the algorithm is unknown.
    """
    algorithm = _algorithm(settings)
    if algorithm not in _DIGESTS:
        raise SignatureError(f"{SETTINGS_HEADER} names no algorithm that is known here")
    offered = signature.strip().encode("utf-8", "surrogatepass")
    addresses = _with_and_without_port(url)
    fits = [
        hmac.compare_digest(sign(token, address, form, algorithm).encode(), offered)
        for token in tokens
        if token
        for address in addresses
    ]
    if not any(fits):
        raise SignatureError(
            f"{SIGNATURE_HEADER} does not fit the call: check the account's token, and that "
            "UNPEND_CALLBACK_BASE_URL is the address Twilio calls"
        )


def _algorithm(settings: str) -> str:
    for part in settings.split(","):
        name, _, value = part.partition("=")
        if name.strip() == "algorithm" and value.strip():
            return value.strip().upper()
    return "HMAC_SHA1"


def _with_and_without_port(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    host = parts.hostname or ""
    port = parts.port or _PORTS.get(parts.scheme, 80)
    return _at(parts, host), _at(parts, f"{host}:{port}")


def _at(parts: SplitResult, place: str) -> str:
    return urlunsplit((parts.scheme, place, parts.path, parts.query, parts.fragment))
