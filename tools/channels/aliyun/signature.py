"""Signs requests to Aliyun with ACS3-HMAC-SHA256; the parameters are in the query."""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final
from urllib.parse import quote

_ALGORITHM: Final = "ACS3-HMAC-SHA256"
_NO_BODY: Final = hashlib.sha256(b"").hexdigest()


@dataclass(frozen=True, slots=True)
class AccessKey:
    """An Aliyun access key: the id is sent; the secret is never sent or shown."""

    key_id: str
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Operation:
    """An operation of an Aliyun service, with the API version."""

    action: str
    version: str


def query_of(parameters: Mapping[str, str]) -> str:
    """The parameters as a query in the canonical order and encoding, which is the one that is signed."""
    return "&".join(f"{_encoded(name)}={_encoded(parameters[name])}" for name in sorted(parameters))


def signed_headers(
    access: AccessKey,
    operation: Operation,
    *,
    host: str,
    query: str,
    moment: datetime,
    nonce: str,
) -> Mapping[str, str]:
    """The headers of a POST to `/` without a body.

    Args:
        access: Whose key signs.
        operation: What is called.
        host: The `Host` header, as it is sent.
        query: As `query_of` makes it.
        moment: Now; Aliyun refuses what is more than 15 minutes off.
        nonce: Different for every request, so that none can be repeated.
    """
    headers = {
        "host": host,
        "x-acs-action": operation.action,
        "x-acs-content-sha256": _NO_BODY,
        "x-acs-date": moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "x-acs-signature-nonce": nonce,
        "x-acs-version": operation.version,
    }
    return {**headers, "Authorization": authorization(access, "POST", "/", query, headers, _NO_BODY)}


def authorization(
    access: AccessKey, method: str, path: str, query: str, headers: Mapping[str, str], body_digest: str
) -> str:
    """The `Authorization` header for these headers, all of which are signed; their names are in lower case."""
    names = sorted(headers)
    lines = "".join(f"{name}:{headers[name].strip()}\n" for name in names)
    canonical = "\n".join((method, path, query, lines, ";".join(names), body_digest))
    to_sign = f"{_ALGORITHM}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    signature = hmac.new(access.secret.encode(), to_sign.encode(), hashlib.sha256).hexdigest()
    return f"{_ALGORITHM} Credential={access.key_id},SignedHeaders={';'.join(names)},Signature={signature}"


def _encoded(text: str) -> str:
    return quote(text, safe="~")
