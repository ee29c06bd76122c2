"""A vendor that speaks our signed protocol, with signatures checked and made by code of its own."""

import hashlib
import hmac
import json
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from tests.support.providers.server import Answered, Asked, Fault

TOKEN = "vendor token"


@dataclass(slots=True)
class Vendor:
    """One vendor and the contacts it was asked for, by key."""

    secret: str
    contacts: dict[str, dict[str, Any]] = field(default_factory=dict)
    reached: list[str] = field(default_factory=list)
    faults: deque[Fault] = field(default_factory=deque)

    def answer(self, asked: Asked) -> Answered:
        """Check who calls and that nobody changed a word, then take the contact or tell of it."""
        if asked.headers.get("authorization") != f"Bearer {TOKEN}" or not self._signed(asked):
            return _answered(401, {"error": {"message": "who are you?"}})
        if asked.method == "GET":
            key = unquote(asked.target.removeprefix("/v1/contacts/"))
            found = self.contacts.get(key)
            return _answered(404, {"key": key}) if found is None else _answered(200, found)
        body = json.loads(asked.body)
        key = body["key"]
        if asked.headers.get("idempotency-key") != key:
            return _answered(400, {"error": {"message": "Idempotency-Key must be the key"}})
        duplicate = key in self.contacts
        if not duplicate:
            self.contacts[key] = {"key": key, "provider_id": f"v-{key}"}
            self.reached.append(body["to"])
        return _answered(202, {"key": key, "provider_id": f"v-{key}", "duplicate": duplicate})

    def _signed(self, asked: Asked) -> bool:
        timestamp = asked.headers.get("x-unpend-timestamp", "0")
        fresh = abs(time.time() - int(timestamp)) < 300
        return fresh and asked.headers.get("x-unpend-signature") == self._signature(timestamp, asked.body)

    def _signature(self, timestamp: str, body: bytes) -> str:
        message = timestamp.encode() + b"." + body
        return "v1=" + hmac.new(self.secret.encode(), message, hashlib.sha256).hexdigest()

    def callback(self, key: str, **changes: Any) -> tuple[bytes, Mapping[str, str]]:
        """The body and the headers of a report."""
        report = {
            "event_id": f"v-{key}.1",
            "key": key,
            "provider_id": f"v-{key}",
            "channel": "im",
            "result": "answered",
            "transcript": "",
            "duration_seconds": None,
            "recording_url": None,
            "occurred_at": None,
        }
        body = json.dumps(report | changes).encode()
        timestamp = str(int(time.time()))
        return body, {
            "Content-Type": "application/json",
            "X-Unpend-Timestamp": timestamp,
            "X-Unpend-Signature": self._signature(timestamp, body),
        }


def _answered(status: int, document: Mapping[str, Any]) -> Answered:
    return Answered(status, json.dumps(document).encode())
