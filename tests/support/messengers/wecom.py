"""WeCom: XML with one encrypted element, signed by the SHA-1 of the sorted token, timestamp, nonce and ciphertext."""

import base64
import hashlib
import os
import re
from dataclasses import dataclass, replace
from typing import Any

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from tests.support.messengers.contract import Sent

_NONCE = "1372623149"


@dataclass(frozen=True, slots=True)
class WecomPlatform:
    """The platform, with one app of one company."""

    token: str = "QDG6eK"
    aes_key: str = "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C"
    corp_id: str = "wx5823bf96d3bd56c7"
    signed_with: str = "QDG6eK"

    name: str = "wecom"

    @property
    def settings(self) -> dict[str, str]:
        return {
            "im_wecom_token": self.token,
            "im_wecom_aes_key": self.aes_key,
            "im_wecom_corp_id": self.corp_id,
        }

    @property
    def impostor(self) -> "WecomPlatform":
        return replace(self, signed_with="a guess")

    @property
    def stranger(self) -> "WecomPlatform":
        return replace(self, corp_id="wxother")

    def pressed(self, value: str, operator: str, *, at: float, event: int = 1) -> Sent:
        return self.sent(self.card_event(value, operator, at=at, event=event), at=at)

    def card_event(self, value: str, operator: str, *, at: float, event: int = 1) -> str:
        """What the callback of a press holds."""
        fields = (
            f"<MsgType><![CDATA[event]]></MsgType><Event><![CDATA[template_card_event]]></Event>"
            f"<EventKey><![CDATA[{value}]]></EventKey><TaskId><![CDATA[task{event}]]></TaskId>"
            "<CardType><![CDATA[button_interaction]]></CardType>"
            "<ResponseCode><![CDATA[ResponseCode]]></ResponseCode><AgentID>1</AgentID>"
        )
        return self._event(fields, operator, at)

    def written(self, words: str, operator: str, *, at: float) -> Sent:
        fields = (
            f"<MsgType><![CDATA[text]]></MsgType><Content><![CDATA[{words}]]></Content>"
            "<MsgId>1234567890123456</MsgId><AgentID>1</AgentID>"
        )
        return self.sent(self._event(fields, operator, at), at=at)

    def asked(self, echo: str, *, at: float) -> dict[str, str]:
        """The query of the GET that asks whether the address is ours."""
        encrypted = self._sealed(echo.encode())
        return {**self._signed(encrypted, str(int(at))), "echostr": encrypted}

    def sent(self, plain: str, *, at: float) -> Sent:
        """A signed callback with this document in it."""
        encrypted = self._sealed(plain.encode())
        content = (
            f"<xml><ToUserName><![CDATA[{self.corp_id}]]></ToUserName>"
            f"<Encrypt><![CDATA[{encrypted}]]></Encrypt><AgentID><![CDATA[1]]></AgentID></xml>"
        )
        return Sent(content.encode(), {"Content-Type": "text/xml"}, self._signed(encrypted, str(int(at))))

    def shown(self, response: Any) -> tuple[str, bool]:
        """Buttons that are replaced are gone for whoever pressed; nobody else's card is changed."""
        answer = self.opened(response)
        assert "<MsgType>update_button</MsgType>" in answer
        (text,) = re.findall("<Button><ReplaceName>(.*)</ReplaceName></Button>", answer)
        return text, True

    def opened(self, response: Any) -> str:
        """A passive reply, verified and decrypted."""
        parts = dict(re.findall("<(Encrypt|MsgSignature|TimeStamp|Nonce)>([^<]*)<", response.text))
        encrypted = parts["Encrypt"]
        sorted_parts = sorted([self.token, parts["TimeStamp"], parts["Nonce"], encrypted])
        assert hashlib.sha1("".join(sorted_parts).encode()).hexdigest() == parts["MsgSignature"]
        decryptor = self._cipher().decryptor()
        padded = decryptor.update(base64.b64decode(encrypted)) + decryptor.finalize()
        assert 1 <= padded[-1] <= 32
        plain = padded[: -padded[-1]]
        length = int.from_bytes(plain[16:20], "big")
        assert plain[20 + length :].decode() == self.corp_id
        return plain[20 : 20 + length].decode()

    def _event(self, fields: str, operator: str, at: float) -> str:
        return (
            f"<xml><ToUserName><![CDATA[{self.corp_id}]]></ToUserName>"
            f"<FromUserName>{operator}</FromUserName><CreateTime>{int(at)}</CreateTime>{fields}</xml>"
        )

    def _signed(self, encrypted: str, stamp: str) -> dict[str, str]:
        parts = "".join(sorted([self.signed_with, stamp, _NONCE, encrypted]))
        signature = hashlib.sha1(parts.encode()).hexdigest()
        return {"msg_signature": signature, "timestamp": stamp, "nonce": _NONCE}

    def _sealed(self, message: bytes) -> str:
        plain = os.urandom(16) + len(message).to_bytes(4, "big") + message + self.corp_id.encode()
        short = 32 - len(plain) % 32
        encryptor = self._cipher().encryptor()
        return base64.b64encode(
            encryptor.update(plain + bytes([short]) * short) + encryptor.finalize()
        ).decode()

    def _cipher(self) -> Cipher[modes.CBC]:
        key = base64.b64decode(self.aes_key + "=")
        return Cipher(algorithms.AES(key), modes.CBC(key[:16]))
