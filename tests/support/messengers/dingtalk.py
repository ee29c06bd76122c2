"""DingTalk: HMAC-SHA256 of the timestamp for cards, of timestamp, line feed and secret for messages to the bot."""

import base64
import hashlib
import hmac
import json
from dataclasses import dataclass, replace
from typing import Any

from tests.support.messengers.contract import Sent


@dataclass(frozen=True, slots=True)
class DingtalkPlatform:
    """The open platform, with one app of one company."""

    app_secret: str = "the app secret"
    card_secret: str = "the api secret of card callbacks"
    corp_id: str = "dingcorp"
    signed_with: str = "the api secret of card callbacks"

    name: str = "dingtalk"

    @property
    def settings(self) -> dict[str, str]:
        return {
            "im_dingtalk_app_secret": self.app_secret,
            "im_dingtalk_card_secret": self.card_secret,
            "im_dingtalk_corp_id": self.corp_id,
        }

    @property
    def impostor(self) -> "DingtalkPlatform":
        return replace(self, signed_with="a guess")

    @property
    def stranger(self) -> "DingtalkPlatform":
        return replace(self, corp_id="dingother")

    def pressed(self, value: str, operator: str, *, at: float, event: int = 1) -> Sent:
        content = {"cardPrivateData": {"actionIds": ["1"], "params": {"answer": value}}}
        body = {
            "type": "actionCallback",
            "outTrackId": "card-1",
            "corpId": self.corp_id,
            "userId": operator,
            "content": json.dumps(content),
        }
        stamp = str(int(at * 1_000) + event)
        digest = hmac.new(self.signed_with.encode(), stamp.encode(), hashlib.sha256).digest()
        headers = {
            "x-ddpaas-signature-timestamp": stamp,
            "x-ddpaas-signature": base64.b64encode(digest).decode(),
        }
        return Sent(json.dumps(body).encode(), headers)

    def written(self, words: str, operator: str, *, at: float) -> Sent:
        body = {
            "conversationType": "1",
            "msgId": "msg1",
            "senderCorpId": self.corp_id,
            "senderStaffId": operator,
            "text": {"content": f" {words}"},
            "msgtype": "text",
        }
        stamp = str(int(at * 1_000))
        said = f"{stamp}\n{self.app_secret}"
        digest = hmac.new(self.app_secret.encode(), said.encode(), hashlib.sha256).digest()
        return Sent(
            json.dumps(body).encode(), {"timestamp": stamp, "sign": base64.b64encode(digest).decode()}
        )

    def shown(self, response: Any) -> tuple[str, bool]:
        answer = response.json()
        for_everybody = "cardData" in answer
        shown = answer["cardData" if for_everybody else "userPrivateData"]["cardParamMap"]
        assert all(isinstance(value, str) for value in shown.values())
        return shown["result"], for_everybody and shown["state"] == "settled"
