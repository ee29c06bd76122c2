"""Aliyun's SMS and voice services: signatures checked by code of its own, records kept, pushes made."""

import hashlib
import hmac
import json
from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, quote

from tests.support.providers.server import Answered, Asked, Fault

KEY_ID = "LTAItestkeyid"
KEY_SECRET = "testkeysecret"
ZONE_HOURS = 8


def refused(code: str, message: str = "", status: int = 200, **headers: str) -> Fault:
    """The service answers this code before it has done anything."""
    body = {"Code": code, "Message": message or code, "RequestId": "req-1"}
    return Fault(instead=Answered(status, json.dumps(body, ensure_ascii=False).encode(), headers))


@dataclass(slots=True)
class Aliyun:
    """Both services of one account."""

    texts: list[dict[str, str]] = field(default_factory=list)
    calls: list[dict[str, str]] = field(default_factory=list)
    ended: dict[str, dict[str, Any]] = field(default_factory=dict)
    """What became of calls, by CallId, once the record is there."""
    sent: dict[str, str] = field(default_factory=dict)
    """How texts ended, by OutId: `2` failed, `3` delivered; the others are still being sent."""
    queries: list[str] = field(default_factory=list)
    nonces: set[str] = field(default_factory=set)
    faults: deque[Fault] = field(default_factory=deque)

    def answer(self, asked: Asked) -> Answered:
        """Check the signature, then do what the action says."""
        problem = self._unsigned(asked)
        if problem is not None:
            return _answered(400, {"Code": problem, "Message": problem})
        given = dict(parse_qsl(asked.target.partition("?")[2], keep_blank_values=True))
        match asked.headers["x-acs-action"]:
            case "SendSms":
                return self._send(given)
            case "QuerySendDetails":
                return self._details(given)
            case "SingleCallByTts":
                return self._call(given)
            case "QueryCallDetailByCallId":
                return self._record(given)
            case _:
                return _answered(404, {"Code": "InvalidAction.NotFound", "Message": "no such action"})

    def _unsigned(self, asked: Asked) -> str | None:
        """The code of what is wrong with a request's signature."""
        scheme, _, rest = asked.headers.get("authorization", "").partition(" ")
        parts = dict(part.partition("=")[::2] for part in rest.split(","))
        if scheme != "ACS3-HMAC-SHA256" or parts.get("Credential") != KEY_ID:
            return "InvalidAccessKeyId.NotFound"
        age = datetime.now(UTC) - datetime.fromisoformat(asked.headers["x-acs-date"])
        if abs(age) > timedelta(minutes=15):
            return "InvalidTimeStamp.Expired"
        digest = hashlib.sha256(asked.body).hexdigest()
        path, _, raw = asked.target.partition("?")
        query = "&".join(
            sorted(
                f"{quote(name, safe='~')}={quote(value, safe='~')}"
                for name, value in parse_qsl(raw, keep_blank_values=True)
            )
        )
        names = parts["SignedHeaders"].split(";")
        needed = {name for name in asked.headers if name.startswith("x-acs-")} | {"host"}
        lines = "".join(f"{name}:{asked.headers[name].strip()}\n" for name in names)
        request = "\n".join([asked.method, path, query, lines, parts["SignedHeaders"], digest])
        text = "ACS3-HMAC-SHA256\n" + hashlib.sha256(request.encode()).hexdigest()
        expected = hmac.new(KEY_SECRET.encode(), text.encode(), hashlib.sha256).hexdigest()
        whole = needed <= set(names) and asked.headers["x-acs-content-sha256"] == digest
        if not whole or parts.get("Signature") != expected:
            return "SignatureDoesNotMatch"
        nonce = asked.headers["x-acs-signature-nonce"]
        if nonce in self.nonces:
            return "SignatureNonceUsed"
        self.nonces.add(nonce)
        return None

    def _send(self, given: dict[str, str]) -> Answered:
        if not given.get("PhoneNumbers", "").isdecimal():
            return _answered(200, {"Code": "isv.MOBILE_NUMBER_ILLEGAL", "Message": given["PhoneNumbers"]})
        self.texts.append(given)
        return _answered(200, {"Code": "OK", "Message": "OK", "BizId": self.biz_id(len(self.texts) - 1)})

    def _details(self, given: dict[str, str]) -> Answered:
        self.queries.append("QuerySendDetails")
        today = (datetime.now(UTC) + timedelta(hours=ZONE_HOURS)).strftime("%Y%m%d")
        listed = [
            {
                "OutId": text["OutId"],
                "PhoneNum": text["PhoneNumbers"],
                "SendStatus": int(self.sent.get(text["OutId"], "1")),
                "SendDate": "2026-03-16 09:00:00",
            }
            for text in self.texts
            if text["PhoneNumbers"] == given["PhoneNumber"] and given["SendDate"] == today
        ]
        page = {"SmsSendDetailDTO": listed}
        return _answered(
            200, {"Code": "OK", "Message": "OK", "TotalCount": len(listed), "SmsSendDetailDTOs": page}
        )

    def _call(self, given: dict[str, str]) -> Answered:
        if len(given.get("OutId", "")) > 15:
            return _answered(200, {"Code": "isv.INVALID_PARAMETERS", "Message": "OutId is too long"})
        self.calls.append(given)
        return _answered(200, {"Code": "OK", "Message": "OK", "CallId": self.call_id(len(self.calls) - 1)})

    def _record(self, given: dict[str, str]) -> Answered:
        self.queries.append("QueryCallDetailByCallId")
        data = self.ended.get(given["CallId"])
        known = {} if data is None else {"Data": json.dumps(data)}
        return _answered(200, {"Code": "OK", "Message": "OK", **known})

    def biz_id(self, place: int) -> str:
        """The name of the text at this place."""
        return f"9006197469364984{place:02}^0"

    def call_id(self, place: int) -> str:
        """The name of the call at this place."""
        return f"1160148880{place:02}^10281631"

    def text_report(self, place: int, *, arrived: bool = True) -> dict[str, Any]:
        """What is pushed of a text (SmsReport)."""
        return {
            "phone_number": self.texts[place]["PhoneNumbers"],
            "send_time": "2026-03-16 09:00:00",
            "report_time": "2026-03-16 09:00:03",
            "success": arrived,
            "err_code": "DELIVERED" if arrived else "MK:0001",
            "err_msg": "用户接收成功" if arrived else "空号",
            "sms_size": "1",
            "biz_id": self.biz_id(place),
            "out_id": self.texts[place]["OutId"],
        }

    def reply(self, number: str, words: str, *, sequence: int = 1, code: str = "1234") -> dict[str, Any]:
        """What is pushed of a customer's reply (SmsUp)."""
        return {
            "phone_number": number,
            "content": words,
            "send_time": "2026-03-16 09:05:00",
            "dest_code": code,
            "sequence_id": str(sequence),
        }

    def call_report(self, place: int, code: str, *, pressed: str = "", seconds: str = "0") -> dict[str, Any]:
        """What is pushed of a call (VoiceReport)."""
        return {
            "call_id": self.call_id(place),
            "out_id": self.calls[place]["OutId"],
            "callee": self.calls[place]["CalledNumber"],
            "start_time": "2026-03-16 09:00:00",
            "end_time": "2026-03-16 09:00:40",
            "duration": seconds,
            "status_code": code,
            "dtmf": pressed,
            "voice_type": "voice",
        }


def pushed(*reports: dict[str, Any]) -> bytes:
    """The body of a push."""
    return json.dumps(list(reports), ensure_ascii=False).encode()


def _answered(status: int, document: dict[str, Any]) -> Answered:
    return Answered(status, json.dumps({"RequestId": "req-1", **document}, ensure_ascii=False).encode())
