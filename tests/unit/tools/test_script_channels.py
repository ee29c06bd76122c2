"""How each provider is given a script: the template approved for its words, or the words themselves."""

import pytest

from schemas.orders.contact import Channel
from tests.support.providers.aliyun import KEY_ID, KEY_SECRET, Aliyun
from tests.support.providers.server import serving
from tests.support.providers.twilio import SID, TOKEN, Twilio
from tests.support.tools.asking import SCRIPT, request
from tools.channels.aliyun.api import AliyunApi
from tools.channels.aliyun.signature import AccessKey
from tools.channels.aliyun.sms import AliyunSms, SmsAccount
from tools.channels.contract import Accepted, Rejected
from tools.channels.script import Template
from tools.channels.twilio.api import TwilioAccount, TwilioApi
from tools.channels.twilio.calls import CallSender, TwilioCalls
from tools.channels.twilio.messages import MessageSender, TwilioMessages

URL = "https://api.example/v1/webhooks/contact/twilio"
OWN = {"aliyun_sms": Template("SMS_OF_THE_SCRIPT", ("product",))}
WORDS = "您好，我是智能语音助手。您的空调可以上门吗？"


@pytest.mark.parametrize(
    ("templates", "code"), [(OWN, "SMS_OF_THE_SCRIPT"), ({}, "SMS_OF_THE_ACCOUNT")], ids=["own", "account's"]
)
def test_aliyun_gets_the_scripts_own_template_and_else_the_accounts(
    templates: dict[str, Template], code: str
) -> None:
    aliyun = Aliyun()
    account = SmsAccount("示例家电", {SCRIPT: Template("SMS_OF_THE_ACCOUNT", ("product",))})
    with serving(aliyun) as address:
        channel = AliyunSms(AliyunApi(address, AccessKey(KEY_ID, KEY_SECRET), setting="sms"), account)
        assert isinstance(channel.send(request(Channel.SMS, templates=templates)), Accepted)
        channel.close()
    assert [text["TemplateCode"] for text in aliyun.texts] == [code]


def test_twilio_speaks_and_sends_the_words_of_the_request() -> None:
    twilio = Twilio()
    with serving(twilio) as address:
        api = TwilioApi(address, TwilioAccount(SID, TOKEN), setting="twilio")
        calls = TwilioCalls(api, CallSender("+15005550006", {SCRIPT: "{product}?"}, URL))
        messages = TwilioMessages(api, MessageSender("+15005550006", {}, URL))
        assert isinstance(calls.send(request(Channel.PHONE, text=WORDS)), Accepted)
        assert isinstance(messages.send(request(Channel.SMS, text=WORDS)), Accepted)
        api.close()
    assert WORDS in twilio.forms["Calls"][0]["Twiml"]
    assert twilio.forms["Messages"][0]["Body"] == WORDS


def test_a_request_without_words_for_a_script_that_is_not_listed_is_refused() -> None:
    with serving(Twilio()) as address:
        api = TwilioApi(address, TwilioAccount(SID, TOKEN), setting="twilio")
        messages = TwilioMessages(api, MessageSender("+15005550006", {}, URL))
        assert isinstance(messages.send(request(Channel.SMS)), Rejected)
        api.close()
