"""Twilio: resources of one account, and callbacks signed by code of its own."""

import base64
import hashlib
import hmac
import json
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from tests.support.providers.server import Answered, Asked, Fault

SID = "AC00000000000000000000000000000001"
TOKEN = "testauthtoken"
_ROOT = f"/2010-04-01/Accounts/{SID}"


def refused(status: int, code: int | None, **headers: str) -> Fault:
    """Twilio answers this before it has done anything."""
    body = {"status": status, "message": "refused by a fault"} | ({} if code is None else {"code": code})
    return Fault(instead=Answered(status, json.dumps(body).encode(), headers))


@dataclass(frozen=True, slots=True)
class Call:
    """A callback as Twilio makes it."""

    url: str
    body: bytes
    headers: Mapping[str, str]


@dataclass(slots=True)
class Twilio:
    """One account's messages and calls, newest last."""

    made: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: {"Messages": [], "Calls": []})
    forms: dict[str, list[dict[str, str]]] = field(default_factory=lambda: {"Messages": [], "Calls": []})
    queries: list[str] = field(default_factory=list)
    faults: deque[Fault] = field(default_factory=deque)
    behind: timedelta = timedelta()
    """How far its clock is behind ours."""

    @property
    def now(self) -> str:
        """The time by its own clock, as it writes it."""
        return format_datetime((datetime.now(UTC) - self.behind).replace(microsecond=0), usegmt=True)

    def answer(self, asked: Asked) -> Answered:
        """Answer with the time by its own clock."""
        answered = self._answer(asked)
        return replace(answered, headers={"Date": self.now, **answered.headers})

    def _answer(self, asked: Asked) -> Answered:
        """Check who calls, then make, list or show."""
        wanted = "Basic " + base64.b64encode(f"{SID}:{TOKEN}".encode()).decode()
        path = urlsplit(asked.target).path
        if asked.headers.get("authorization") != wanted:
            return _answered(401, {"code": 20003, "message": "Authenticate", "status": 401})
        parts = path.removeprefix(f"{_ROOT}/").removesuffix(".json").split("/")
        if not path.startswith(_ROOT) or parts[0] not in self.made:
            return _answered(404, {"code": 20404, "message": "not found", "status": 404})
        if asked.method == "POST":
            return self._make(parts[0], dict(parse_qsl(asked.body.decode(), keep_blank_values=True)))
        self.queries.append(path)
        if len(parts) == 1:
            query = dict(parse_qsl(urlsplit(asked.target).query))
            listed = [one for one in reversed(self.made[parts[0]]) if one["to"] == query.get("To", one["to"])]
            return _answered(200, {parts[0].lower(): listed, "page_size": 50})
        found = [one for one in self.made[parts[0]] if one["sid"] == parts[1]]
        missing = {"code": 20404, "message": "not found", "status": 404}
        return _answered(200, found[0]) if found else _answered(404, missing)

    def _make(self, kind: str, form: dict[str, str]) -> Answered:
        sender = form.get("From") or form.get("MessagingServiceSid")
        if not form.get("To", "").startswith("+") or not sender:
            return _answered(400, {"code": 21211, "message": f"Invalid 'To' {form.get('To')}", "status": 400})
        prefix = "SM" if kind == "Messages" else "CA"
        resource = {
            "sid": f"{prefix}{len(self.made[kind]):032x}",
            "account_sid": SID,
            "to": form["To"],
            "from": sender,
            "status": "queued",
            "direction": "outbound-api",
            "date_created": self.now,
            "answered_by": None,
            "duration": None,
        }
        self.made[kind].append(resource)
        self.forms[kind].append(form)
        return _answered(201, resource)

    def message_state(self, place: int, status: str) -> Call:
        """The status callback of a message."""
        made = self.made["Messages"][place]
        return signed(
            self.forms["Messages"][place]["StatusCallback"],
            {"MessageSid": made["sid"], "MessageStatus": status, "To": made["to"], "AccountSid": SID},
        )

    def call_state(self, place: int, status: str, **more: str) -> Call:
        """The status callback of a call."""
        made = self.made["Calls"][place]
        return signed(
            self.forms["Calls"][place]["StatusCallback"],
            {"CallSid": made["sid"], "CallStatus": status, "To": made["to"], "AccountSid": SID, **more},
        )

    def said(self, place: int, words: str, **more: str) -> Call:
        """What is called back when the caller's words were recognised."""
        twiml = self.forms["Calls"][place]["Twiml"]
        action = twiml.partition('action="')[2].partition('"')[0].replace("&amp;", "&")
        fields = {"CallSid": self.made["Calls"][place]["sid"], "CallStatus": "in-progress"}
        return signed(action, {**fields, "SpeechResult": words, "Confidence": "0.93", **more})


def received(url: str, number: str, words: str, sid: str = "SM" + "f" * 32) -> Call:
    """What is called back when a message comes in."""
    return signed(
        url, {"MessageSid": sid, "From": number, "To": "+15005550006", "Body": words, "NumMedia": "0"}
    )


def signed(url: str, fields: Mapping[str, str], *, token: str = TOKEN) -> Call:
    """A callback with its signature over the address and the sorted fields."""
    text = url + "".join(name + fields[name] for name in sorted(fields))
    mac = hmac.new(token.encode(), text.encode(), hashlib.sha1).digest()
    headers = {
        "Content-Type": "application/x-www-form-urlencoded; charset=UTF-8",
        "X-Twilio-Signature": base64.b64encode(mac).decode(),
        "I-Twilio-Idempotency-Token": "not looked at",
    }
    return Call(url, urlencode(fields).encode(), headers)


def _answered(status: int, document: Mapping[str, Any]) -> Answered:
    return Answered(status, json.dumps(document).encode())
