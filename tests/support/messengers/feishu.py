"""Feishu: SHA-256 over timestamp, nonce, Encrypt Key and body; AES-256-CBC under the SHA-256 of the Encrypt Key."""

import base64
import hashlib
import json
import os
from dataclasses import dataclass, replace
from typing import Any

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from tests.support.messengers.contract import Sent


@dataclass(frozen=True, slots=True)
class FeishuPlatform:
    """The open platform, with one app."""

    encrypt_key: str = "the encrypt key of the app"
    token: str = "the verification token"
    signed_with: str = "the encrypt key of the app"

    name: str = "feishu"

    @property
    def settings(self) -> dict[str, str]:
        return {"im_feishu_encrypt_key": self.encrypt_key, "im_feishu_verification_token": self.token}

    @property
    def impostor(self) -> "FeishuPlatform":
        return replace(self, signed_with="a guess")

    @property
    def stranger(self) -> "FeishuPlatform":
        return replace(self, token="the token of another app")

    def pressed(self, value: str, operator: str, *, at: float, event: int = 1) -> Sent:
        return self.sent(self.card_event(value, operator, at=at, event=event), at=at)

    def card_event(self, value: str, operator: str, *, at: float, event: int = 1) -> dict[str, Any]:
        """What the callback of a press holds; it counts microseconds."""
        body = {
            "operator": {"tenant_key": "t1", "open_id": operator},
            "token": "c-295ee57216a5dc9de90fefd0aadb4b1d7d",
            "action": {"value": {"answer": value}, "tag": "button"},
            "host": "im_message",
            "context": {"open_message_id": "om_574d639e4a44e4dd", "open_chat_id": "oc_e4d2605ca917e695"},
        }
        return self._event("card.action.trigger", body, f"evt{event}", int(at * 1_000_000))

    def written(self, words: str, operator: str, *, at: float) -> Sent:
        body = {
            "sender": {"sender_id": {"open_id": operator}, "sender_type": "user"},
            "message": {"message_type": "text", "content": json.dumps({"text": words})},
        }
        return self.sent(self._event("im.message.receive_v1", body, "m1", int(at * 1_000)), at=at)

    def asked(self, challenge: str) -> Sent:
        """The request that asks whether the address is ours; it comes without a signature."""
        document = {"challenge": challenge, "token": self.token, "type": "url_verification"}
        return Sent(self._sealed(document))

    def sent(self, document: dict[str, Any], *, at: float, stamped: str | None = None) -> Sent:
        """A signed callback; `stamped` is what the header says where that is no Unix second."""
        content, stamp, nonce = self._sealed(document), stamped or str(int(at)), "a nonce"
        signature = hashlib.sha256((stamp + nonce + self.signed_with).encode() + content).hexdigest()
        headers = {
            "X-Lark-Request-Timestamp": stamp,
            "X-Lark-Request-Nonce": nonce,
            "X-Lark-Signature": signature,
        }
        return Sent(content, headers)

    def shown(self, response: Any) -> tuple[str, bool]:
        answer = response.json()
        return answer["toast"]["content"], "card" in answer

    def _event(self, kind: str, event: dict[str, Any], event_id: str, created: int) -> dict[str, Any]:
        header = {
            "event_id": event_id,
            "token": self.token,
            "create_time": str(created),
            "event_type": kind,
            "tenant_key": "t1",
            "app_id": "cli_a5fb0ae6a4",
        }
        return {"schema": "2.0", "header": header, "event": event}

    def _sealed(self, document: dict[str, Any]) -> bytes:
        plain = json.dumps(document).encode()
        short = 16 - len(plain) % 16
        vector = os.urandom(16)
        cipher = Cipher(algorithms.AES(hashlib.sha256(self.encrypt_key.encode()).digest()), modes.CBC(vector))
        encryptor = cipher.encryptor()
        sealed = encryptor.update(plain + bytes([short]) * short) + encryptor.finalize()
        return json.dumps({"encrypt": base64.b64encode(vector + sealed).decode()}).encode()
