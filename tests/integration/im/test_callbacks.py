"""What messengers ask beside presses: whether the address is ours, and what people write to the bot."""

import time
from dataclasses import replace
from typing import Any

import pytest

from tests.support.api.client import ApiClient
from tests.support.cards import LATE, asked, decided, post
from tests.support.messengers.contract import Messenger
from tests.support.messengers.every import DINGTALK, FEISHU, WECOM

DECLARED = '<!DOCTYPE xml [<!ENTITY a "wang"><!ENTITY b "im-&a;fang">]>'


def code_of(api: ApiClient, login: str = "wangfang") -> str:
    return str(api.post("/auth/im-code", login).json()["code"])


def accounts(api: ApiClient, messenger: Messenger, login: str = "wangfang") -> list[str]:
    """A person's accounts with this messenger."""
    found = api.get("/auth/im-identities", login).json()["identities"]
    return [each["operator_id"] for each in found if each["provider"] == messenger.name]


def write(api: ApiClient, messenger: Messenger, words: str, *, age: float = 0.0) -> Any:
    return post(api, messenger, messenger.written(words, "im-new", at=time.time() - age))


def test_a_code_that_is_written_to_the_bot_binds_who_wrote_it(api: ApiClient, messenger: Messenger) -> None:
    assert write(api, messenger, f"绑定 {code_of(api)}").status_code == 200
    assert accounts(api, messenger) == ["im-wangfang", "im-new"]
    card = asked(api)
    answer = post(api, messenger, messenger.pressed(card.value("yes"), "im-new", at=time.time()))
    assert messenger.shown(answer)[0] == "wangfang 已决定：yes"


def test_a_late_message_binds_nobody(api: ApiClient, messenger: Messenger) -> None:
    assert write(api, messenger, code_of(api), age=LATE).status_code == 401
    assert accounts(api, messenger) == ["im-wangfang"]


def test_a_message_of_another_company_or_app_binds_nobody(api: ApiClient, messenger: Messenger) -> None:
    assert write(api, messenger.stranger, code_of(api)).status_code == 401
    assert accounts(api, messenger) == ["im-wangfang"]


def test_a_message_without_a_code_is_let_be(api: ApiClient, messenger: Messenger) -> None:
    answer = write(api, messenger, "今天谁值班？")
    assert (answer.status_code, answer.text) == (200, "" if messenger is WECOM else "{}")


def test_wecom_says_what_came_of_a_code(api: ApiClient) -> None:
    taken, over = (WECOM.opened(write(api, WECOM, words)) for words in (code_of(api), "AAAAA-AAAAA"))
    assert "<Content>已绑定：您在这里的回答记在 wangfang 名下</Content>" in taken
    assert "<Content>没有绑定：绑定码无效或已过期，请重新取得</Content>" in over


def test_feishu_is_answered_the_challenge_of_its_own_token_alone(api: ApiClient) -> None:
    answer = post(api, FEISHU, FEISHU.asked("ajls384kdjx98XX"))
    assert (answer.status_code, answer.json()) == (200, {"challenge": "ajls384kdjx98XX"})
    assert post(api, FEISHU, FEISHU.stranger.asked("ajls384kdjx98XX")).status_code == 401


def test_an_event_that_is_encrypted_and_not_signed_is_refused(api: ApiClient) -> None:
    card = asked(api)
    sent = FEISHU.pressed(card.value("yes"), "im-wangfang", at=time.time())
    assert post(api, FEISHU, replace(sent, headers={})).status_code == 401
    assert decided(api, card)[0] == "open"


def test_an_event_that_is_signed_and_not_encrypted_is_refused(api: ApiClient) -> None:
    sent = FEISHU.sent({}, at=time.time())
    assert post(api, FEISHU, replace(sent, content=b'{"type": "url_verification"}')).status_code == 401


def test_the_moment_within_a_callback_counts_where_the_header_says_it_otherwise(api: ApiClient) -> None:
    card = asked(api)
    for age, status in ((LATE, 401), (0.0, 200)):
        document = FEISHU.card_event(card.value("yes"), "im-wangfang", at=time.time() - age)
        sent = FEISHU.sent(document, at=0, stamped="2026-03-13 21:05:00.052290112 +0800 CST m=+3612.1")
        assert post(api, FEISHU, sent).status_code == status
    assert decided(api, card)[0] == "decided"


def test_wecom_is_answered_what_it_asks_of_the_address(api: ApiClient) -> None:
    def answered(query: dict[str, str]) -> tuple[int, str]:
        answer = api.get("/im/wecom/callback", None, params=query)
        return answer.status_code, answer.text

    assert answered(WECOM.asked("1616140317555161061", at=time.time())) == (200, "1616140317555161061")
    for wrong in (WECOM.impostor, WECOM.stranger):
        assert answered(wrong.asked("1616140317555161061", at=time.time()))[0] == 401
    assert answered(WECOM.asked("1616140317555161061", at=time.time() - LATE))[0] == 401


@pytest.mark.parametrize("messenger", [FEISHU, DINGTALK], ids=lambda each: each.name)
def test_a_messenger_that_asks_nothing_with_get_is_answered_nothing(
    api: ApiClient, messenger: Messenger
) -> None:
    assert api.get(f"/im/{messenger.name}/callback", None).status_code == 404


@pytest.mark.parametrize("declared", [DECLARED, "<!DOCTYPE xml>"], ids=["entities", "document type"])
def test_xml_that_declares_something_is_refused_outside_and_inside(api: ApiClient, declared: str) -> None:
    card, at = asked(api), time.time()
    operator = "&b;" if declared is DECLARED else "im-wangfang"
    event = WECOM.card_event(card.value("yes"), operator, at=at)
    whole = WECOM.sent(event.replace("&b;", "im-wangfang"), at=at)
    outside = replace(whole, content=declared.encode() + whole.content)
    inside = WECOM.sent(declared + event, at=at)
    assert [post(api, WECOM, sent).status_code for sent in (outside, inside)] == [401, 401]
    assert decided(api, card)[0] == "open"


@pytest.mark.parametrize("messenger", [FEISHU, WECOM], ids=lambda each: each.name)
def test_a_body_that_was_changed_on_its_way_is_refused(api: ApiClient, messenger: Messenger) -> None:
    card = asked(api)
    yes, no = (messenger.pressed(card.value(each), "im-wangfang", at=time.time()) for each in ("yes", "no"))
    assert post(api, messenger, replace(yes, content=no.content)).status_code == 401
    assert decided(api, card)[0] == "open"


def test_a_signature_of_dingtalk_is_good_for_one_body(api: ApiClient) -> None:
    card, other = asked(api), asked(api)
    at = time.time()
    first = DINGTALK.pressed(card.value("yes"), "im-wangfang", at=at)
    post(api, DINGTALK, first)
    swapped = DINGTALK.pressed(other.value("yes"), "im-lilei", at=at)
    post(api, DINGTALK, replace(swapped, headers=first.headers))
    assert (decided(api, card)[0], decided(api, other)[0]) == ("decided", "open")


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff\x00", b"<xml>", b"9" * 65_537])
def test_what_is_no_callback_at_all_is_refused(api: ApiClient, messenger: Messenger, content: bytes) -> None:
    sent = replace(messenger.pressed("x", "im-wangfang", at=time.time()), content=content)
    assert post(api, messenger, sent).status_code in (401, 413)


def test_an_event_that_means_nothing_to_us_is_taken(api: ApiClient) -> None:
    unknown = {"header": {"token": FEISHU.token, "event_type": "im.chat.updated_v1", "event_id": "e"}}
    answer = post(api, FEISHU, FEISHU.sent(unknown, at=time.time()))
    assert (answer.status_code, answer.json()) == (200, {})
