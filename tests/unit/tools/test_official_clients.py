"""The providers' own clients keep us honest: they sign as we do, and our fakes serve them as their services would."""

import hashlib
import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest

from runtime.settings import PROJECT
from tests.support.providers.aliyun import KEY_ID, KEY_SECRET, Aliyun
from tests.support.providers.server import serving
from tests.support.providers.twilio import SID, TOKEN, Twilio, signed
from tests.support.tools.asking import KEY, NUMBER
from tools.channels.aliyun.signature import AccessKey, Operation, query_of, signed_headers
from tools.channels.twilio.signature import sign

MOMENT = datetime(2026, 3, 16, 1, 0, tzinfo=UTC)
FORM = [("CallSid", "CA1"), ("SpeechResult", "可以 上门"), ("AccountSid", SID), ("Empty", "")]


def official(provider: str, asked: dict[str, Any]) -> Any:
    """What the provider's own client says."""
    ran = subprocess.run(
        [sys.executable, "-m", f"tests.support.providers.official_{provider}"],
        cwd=PROJECT,
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout)


def test_we_sign_for_aliyun_as_its_own_client_does() -> None:
    parameters = {"TemplateParam": '{"product": "空 调+~*&="}', "OutId": KEY, "Empty": ""}
    headers = dict(
        signed_headers(
            AccessKey(KEY_ID, KEY_SECRET),
            Operation("SendSms", "2017-05-25"),
            host="dysmsapi.aliyuncs.com",
            query=query_of(parameters),
            moment=MOMENT,
            nonce="once",
        )
    )
    ours = headers.pop("Authorization")
    asked = {
        "query": parameters,
        "headers": headers,
        "digest": hashlib.sha256(b"").hexdigest(),
        "key_id": KEY_ID,
        "secret": KEY_SECRET,
    }
    assert official("aliyun", asked) == ours


def test_our_aliyun_serves_its_own_clients() -> None:
    aliyun = Aliyun()
    with serving(aliyun) as address:
        asked = {
            "host": urlsplit(address).netloc,
            "key_id": KEY_ID,
            "secret": KEY_SECRET,
            "number": NUMBER,
            "key": KEY,
            "day": (datetime.now(UTC) + timedelta(hours=8)).strftime("%Y%m%d"),
        }
        answers = official("aliyun", asked)
    assert answers == ["OK", aliyun.biz_id(0), KEY, aliyun.call_id(0), None]
    assert aliyun.texts[0]["TemplateParam"] == '{"product": "空 调+~*"}'


def test_our_aliyun_refuses_its_own_client_with_another_secret() -> None:
    with serving(Aliyun()) as address:
        asked = {"host": urlsplit(address).netloc, "key_id": KEY_ID, "secret": "wrong"}
        with pytest.raises(AssertionError, match="SignatureDoesNotMatch"):
            official("aliyun", {**asked, "number": NUMBER, "key": KEY, "day": "20260316"})


@pytest.mark.parametrize("algorithm", ["HMAC_SHA1", "HMAC_SHA256"])
def test_we_read_twilios_signature_as_its_own_client_does(algorithm: str) -> None:
    url = "https://api.example/v1/webhooks/contact/twilio?key=HT1.1.1"
    asked = {"token": TOKEN, "url": url, "form": FORM, "algorithm": algorithm}
    assert official("twilio", asked) == sign(TOKEN, url, FORM, algorithm)


def test_our_twilio_signs_as_its_own_client_does() -> None:
    url = "https://api.example/v1/webhooks/contact/twilio?key=HT1.1.1"
    asked = {"token": TOKEN, "url": url, "form": FORM, "algorithm": "HMAC_SHA1"}
    assert official("twilio", asked) == signed(url, dict(FORM)).headers["X-Twilio-Signature"]


def test_our_twilio_serves_its_own_client() -> None:
    twilio = Twilio()
    with serving(twilio) as address:
        asked = {"sid": SID, "token": TOKEN, "address": address, "number": f"+86{NUMBER}"}
        answers = official("twilio", asked)
    assert answers == ["queued", True, "outbound-api", True]
    assert twilio.forms["Messages"][0]["Body"] == "您好"
