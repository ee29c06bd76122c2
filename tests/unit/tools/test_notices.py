"""Feishu app and bot, WeCom and DingTalk bots: what is said, and what each answer leaves certain."""

import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

from tests.support.providers import feishu, group_bots
from tests.support.providers.feishu import Feishu
from tests.support.providers.group_bots import Dingtalk, Wecom
from tests.support.providers.server import DROP, Answered, Fault, serving
from tools.notices.contract import (
    Notice,
    NoticeGateway,
    NoticeNotSent,
    NoticeRefused,
    NoticeSent,
    NoticeUnclear,
)
from tools.notices.dingtalk_bot import DingtalkBot
from tools.notices.feishu_app import FeishuAccount, FeishuApp, uuid_of
from tools.notices.feishu_bot import FeishuBot
from tools.notices.wecom_bot import WecomBot

NUMBER = "13800138000"
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
NOTICE = Notice(
    key="ALT1", to="ou_1", title="[critical] timeout", text=f"客户 {NUMBER} 无人联系", trace_id=TRACE
)
WORDS = f"[critical] timeout\n客户 138****8000 无人联系\n追踪 {TRACE}"
SECRETS = (
    feishu.APP_SECRET, feishu.HOOK, feishu.HOOK_SECRET, group_bots.KEY, group_bots.TOKEN, group_bots.SECRET,
)  # fmt: skip
BOTS = ("feishu_bot", "wecom_bot", "dingtalk_bot")
every_bot = pytest.mark.parametrize("name", BOTS)


@dataclass(slots=True)
class Chat:
    """A gateway and the provider behind it."""

    gateway: NoticeGateway
    said: list[str]
    faults: deque[Fault]
    limited: Answered
    """The provider's own way of saying that there were too many."""


@contextmanager
def chat(name: str) -> Iterator[Chat]:
    """A bot of this kind."""
    provider = {"feishu_bot": Feishu, "wecom_bot": Wecom, "dingtalk_bot": Dingtalk}[name]()
    limited = {
        "feishu_bot": feishu.said(11232),
        "wecom_bot": group_bots.said(45009),
        "dingtalk_bot": group_bots.said(130101),
    }[name]
    with serving(provider) as address:
        gateway = opened(name, address)
        yield Chat(gateway, provider.in_group, provider.faults, limited)
        gateway.close()


def opened(name: str, address: str, *, wrong: bool = False) -> NoticeGateway:
    """A bot's gateway, with its right secrets or with wrong ones."""
    bad = "-bad" if wrong else ""
    match name:
        case "feishu_bot":
            return FeishuBot(address, feishu.HOOK, feishu.HOOK_SECRET + bad, setting="x")
        case "wecom_bot":
            return WecomBot(address, group_bots.KEY + bad, setting="x")
        case _:
            return DingtalkBot(address, group_bots.TOKEN, group_bots.SECRET + bad, setting="x")


@pytest.fixture
def tenant() -> Iterator[tuple[Feishu, FeishuApp]]:
    provider = Feishu()
    with serving(provider) as address:
        account = FeishuAccount(feishu.APP_ID, feishu.APP_SECRET, "open_id")
        app = FeishuApp(address, account, setting="x")
        yield provider, app
        app.close()


@every_bot
def test_a_bot_says_the_words_in_its_group_with_numbers_masked(name: str) -> None:
    with chat(name) as bot:
        assert bot.gateway.send(NOTICE) == NoticeSent("")
        assert bot.said == [WORDS]


@every_bot
def test_a_wrong_secret_is_refused_though_the_answer_is_http_200(name: str) -> None:
    provider = {"feishu_bot": Feishu, "wecom_bot": Wecom, "dingtalk_bot": Dingtalk}[name]()
    with serving(provider) as address:
        gateway = opened(name, address, wrong=True)
        assert isinstance(gateway.send(NOTICE), NoticeRefused)
        gateway.close()
    assert provider.in_group == []


@every_bot
def test_too_many_messages_are_not_sent_and_say_how_long_to_wait(name: str) -> None:
    with chat(name) as bot:
        bot.faults.append(Fault(instead=bot.limited))
        outcome = bot.gateway.send(NOTICE)
        assert isinstance(outcome, NoticeNotSent)
        assert outcome.retry_after_seconds is not None
        assert outcome.retry_after_seconds >= 60


@every_bot
@pytest.mark.parametrize(
    ("fault", "outcome"),
    [
        (Fault(instead=Answered(429, b"", {"Retry-After": "7"})), NoticeNotSent),
        (Fault(instead=Answered(500, b"{}")), NoticeUnclear),
        (Fault(instead=Answered(502, b"<html>")), NoticeUnclear),
        (Fault(instead=Answered(404, b"<html>")), NoticeRefused),
        (Fault(instead=Answered(200, b"<html>")), NoticeUnclear),
        (Fault(instead=Answered(200, b'{"code": true, "errcode": true}')), NoticeUnclear),
        (DROP, NoticeUnclear),
    ],
)
def test_a_fault_leaves_certain_what_it_can(name: str, fault: Fault, outcome: type[object]) -> None:
    with chat(name) as bot:
        bot.faults.append(fault)
        assert isinstance(bot.gateway.send(NOTICE), outcome)


@every_bot
def test_a_slow_answer_is_unclear_within_the_deadline(name: str) -> None:
    with chat(name) as bot:
        bot.faults.append(Fault(slow_seconds=4.0))
        began = time.monotonic()
        assert isinstance(bot.gateway.send(NOTICE), NoticeUnclear)
        assert time.monotonic() - began < 3.5


@every_bot
def test_a_provider_that_is_away_was_sent_nothing(name: str) -> None:
    gateway = opened(name, "http://127.0.0.1:1")
    assert isinstance(gateway.send(NOTICE), NoticeNotSent)
    gateway.close()


@every_bot
def test_nothing_that_is_shown_holds_a_secret_or_a_number(name: str) -> None:
    with chat(name) as bot:
        bot.faults.append(Fault(instead=group_bots.said(1, f"no {' '.join(SECRETS)} {NUMBER}")))
        bot.faults.append(Fault(instead=feishu.said(1, f"no {' '.join(SECRETS)} {NUMBER}")))
        shown = f"{bot.gateway!r} {bot.gateway.send(NOTICE)!r} {bot.gateway.send(NOTICE)!r}"
    own = {
        "feishu_bot": (feishu.HOOK, feishu.HOOK_SECRET),
        "wecom_bot": (group_bots.KEY,),
        "dingtalk_bot": (group_bots.TOKEN, group_bots.SECRET),
    }[name]
    assert "Refused" in shown
    assert [secret for secret in (*own, NUMBER) if secret in shown] == []


def test_an_app_sends_to_whom_it_names_and_tells_the_messages_id(tenant: tuple[Feishu, FeishuApp]) -> None:
    provider, app = tenant
    assert app.send(NOTICE) == NoticeSent("om_0")
    assert provider.messages == {"ALT1": {"to": "ou_1", "text": WORDS, "id": "om_0"}}
    assert provider.named_by == ["open_id"]


def test_a_token_serves_until_it_is_over(tenant: tuple[Feishu, FeishuApp]) -> None:
    provider, app = tenant
    for _ in range(3):
        app.send(NOTICE)
    assert provider.tokens == ["t-0"]


def test_a_token_in_its_last_minute_is_not_used_again(tenant: tuple[Feishu, FeishuApp]) -> None:
    provider, app = tenant
    provider.expire = 59
    app.send(NOTICE)
    app.send(NOTICE)
    assert provider.tokens == ["t-0", "t-1"]


def test_a_token_that_feishu_denies_is_fetched_anew_at_once(tenant: tuple[Feishu, FeishuApp]) -> None:
    provider, app = tenant
    app.send(NOTICE)
    provider.over.add("t-0")
    assert app.send(NOTICE) == NoticeSent("om_0")
    assert provider.tokens == ["t-0", "t-1"]


def test_a_key_has_one_message_however_often_it_is_sent(tenant: tuple[Feishu, FeishuApp]) -> None:
    provider, app = tenant
    provider.faults += [Fault(), DROP]
    assert isinstance(app.send(NOTICE), NoticeUnclear)
    assert app.send(NOTICE) == app.send(NOTICE) == NoticeSent("om_0")
    assert len(provider.messages) == 1


def test_a_long_key_is_a_uuid_of_fifty_characters() -> None:
    long = "k" * 51
    assert len(uuid_of(long)) == 50
    assert uuid_of(long) != uuid_of("k" * 52)
    assert uuid_of("k" * 50) == "k" * 50


@pytest.mark.parametrize("fault", [DROP, Fault(instead=Answered(500, b"")), Fault(instead=feishu.said(0))])
def test_without_a_token_nothing_was_sent(tenant: tuple[Feishu, FeishuApp], fault: Fault) -> None:
    provider, app = tenant
    provider.faults.append(fault)
    assert isinstance(app.send(NOTICE), NoticeNotSent)
    assert provider.messages == {}


@pytest.mark.parametrize("status", [200, 400])
@pytest.mark.parametrize(
    ("code", "outcome"),
    [(230020, NoticeNotSent), (99991400, NoticeNotSent), (11232, NoticeNotSent), (230002, NoticeRefused)],
)
def test_a_code_of_the_app_leaves_certain_what_it_is_documented_to(
    tenant: tuple[Feishu, FeishuApp], status: int, code: int, outcome: type[object]
) -> None:
    provider, app = tenant
    provider.message_faults.append(Fault(instead=feishu.said(code, status=status)))
    assert isinstance(app.send(NOTICE), outcome)


def test_an_app_keeps_its_deadline_though_token_and_message_are_slow(
    tenant: tuple[Feishu, FeishuApp],
) -> None:
    provider, app = tenant
    provider.faults += [Fault(slow_seconds=1.2), Fault(slow_seconds=4.0)]
    began = time.monotonic()
    assert isinstance(app.send(NOTICE), NoticeUnclear)
    assert time.monotonic() - began < 3.5


def test_a_wrong_secret_of_the_app_is_refused_and_not_shown() -> None:
    with serving(Feishu()) as address:
        app = FeishuApp(address, FeishuAccount(feishu.APP_ID, "a wrong one", "open_id"), setting="x")
        outcome = app.send(NOTICE)
        app.close()
    assert isinstance(outcome, NoticeRefused)
    assert "a wrong one" not in f"{outcome!r} {app!r} {app._account!r}"


def test_long_words_are_cut_where_a_character_ends() -> None:
    with chat("wecom_bot") as bot:
        long = Notice(key="k", to="", title="标题", text="字" * 5000, trace_id=TRACE)
        assert bot.gateway.send(long) == NoticeSent("")
    assert bot.said[0].endswith(f"字…\n追踪 {TRACE}")
    assert len(bot.said[0].encode()) <= 2000


def test_a_customers_words_call_nobody() -> None:
    words = Notice(key="k", to="", title="", text='<at user_id="all">所有人</at>', trace_id=TRACE).words
    assert "<at" not in words
