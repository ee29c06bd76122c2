"""Aliyun's own clients, run as a process: `python -m tests.support.providers.official_aliyun`, JSON in, JSON out.

A process of its own, because the clients warn where our tests allow no warning.
"""

import json
import sys
from importlib import import_module
from typing import Any

# They publish no types.
sms = import_module("alibabacloud_dysmsapi20170525.models")
voice = import_module("alibabacloud_dyvmsapi20170525.models")
sms_client = import_module("alibabacloud_dysmsapi20170525.client")
voice_client = import_module("alibabacloud_dyvmsapi20170525.client")
signing = import_module("alibabacloud_tea_openapi.utils")
settings = import_module("alibabacloud_tea_openapi.utils_models")
requests = import_module("darabonba.request")


def authorization(asked: dict[str, Any]) -> str:
    """The `Authorization` header the client would send with these headers and parameters."""
    request = requests.DaraRequest()
    request.method, request.pathname = "POST", "/"
    request.query, request.headers = asked["query"], asked["headers"]
    signed: str = signing.Utils.get_authorization(
        request, "ACS3-HMAC-SHA256", asked["digest"], asked["key_id"], asked["secret"]
    )
    return signed


def exchanged(asked: dict[str, Any]) -> list[Any]:
    """What the clients make of a text, a call, and of asking after both."""
    config = settings.Config(
        access_key_id=asked["key_id"],
        access_key_secret=asked["secret"],
        endpoint=asked["host"],
        protocol="HTTP",
    )
    texts, calls = sms_client.Client(config), voice_client.Client(config)
    sent = texts.send_sms(
        sms.SendSmsRequest(
            phone_numbers=asked["number"],
            sign_name="示例家电",
            template_code="SMS_1",
            template_param='{"product": "空 调+~*"}',
            out_id=asked["key"],
        )
    )
    listed = texts.query_send_details(
        sms.QuerySendDetailsRequest(
            phone_number=asked["number"], send_date=asked["day"], page_size=50, current_page=1
        )
    )
    placed = calls.single_call_by_tts(
        voice.SingleCallByTtsRequest(
            called_number=asked["number"], tts_code="TTS_1", tts_param="{}", out_id="short"
        )
    )
    found = calls.query_call_detail_by_call_id(
        voice.QueryCallDetailByCallIdRequest(
            call_id=placed.body.call_id, prod_id=11000000300006, query_date=1773622800000
        )
    )
    entries = listed.body.sms_send_detail_dtos.sms_send_detail_dto
    return [sent.body.code, sent.body.biz_id, entries[0].out_id, placed.body.call_id, found.body.data]


if __name__ == "__main__":
    asked = json.load(sys.stdin)
    json.dump(authorization(asked) if "headers" in asked else exchanged(asked), sys.stdout)
