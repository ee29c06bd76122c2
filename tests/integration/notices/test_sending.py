"""Notices arrive after the commit, once where the provider can tell, and wait where they cannot."""

from collections.abc import Iterator

import pytest

from storage.core.database import Database
from tests.support.outbound.notice_sender import NoticeSenderAtWork, senders, through_app, through_dingtalk
from tests.support.probe import Probe
from tests.support.providers import feishu
from tests.support.providers.feishu import Feishu
from tests.support.providers.group_bots import Dingtalk
from tests.support.providers.server import DROP, Answered, Fault, serving
from tests.support.waiting import wait_until
from tools.notices.routing import NoticeRoutes


@pytest.fixture
def bureau(database: Database) -> NoticeSenderAtWork:
    bureau = NoticeSenderAtWork(database)
    bureau.declare("duty_manager", "operations")
    return bureau


@pytest.fixture
def tenant() -> Iterator[tuple[Feishu, str]]:
    provider = Feishu()
    with serving(provider) as address:
        yield provider, address


def test_an_alert_reaches_its_role_with_numbers_masked(
    bureau: NoticeSenderAtWork, tenant: tuple[Feishu, str]
) -> None:
    provider, address = tenant
    key = bureau.alert(message="客户 13800138000 投诉")
    with senders(bureau.database, through_app(address, "duty_manager", "operations")):
        wait_until(lambda: bureau.states() == ["sent"])
    (notice,) = bureau.log()
    assert (notice.provider, notice.provider_id, notice.tries) == ("app", "om_0", 1)
    assert list(provider.messages) == [key]
    assert provider.messages[key]["to"] == "duty_manager"
    said = f"[critical] timeout\n客户 138****8000 投诉\n任务 HT1\n追踪 {notice.trace_id}"
    assert provider.messages[key]["text"] == said


def test_many_senders_send_each_notice_once(bureau: NoticeSenderAtWork) -> None:
    group = Dingtalk(most=1000)
    for number in range(30):
        bureau.alert(message=f"no {number}")
    with serving(group) as address:
        ways = [through_dingtalk(address, "duty_manager", "operations") for _ in range(2)]
        with senders(bureau.database, *ways):
            wait_until(lambda: bureau.states() == ["sent"] * 30)
    assert len(group.in_group) == len(set(group.in_group)) == 30


def test_one_that_cannot_be_sent_keeps_no_other(
    bureau: NoticeSenderAtWork, tenant: tuple[Feishu, str]
) -> None:
    provider, address = tenant
    refused = Fault(instead=feishu.said(230002, "Bot is not in the chat."))
    provider.message_faults.append(refused)
    first = bureau.alert()
    with senders(bureau.database, through_app(address, "duty_manager", "operations")):
        wait_until(lambda: bureau.log()[0].last_error is not None)
        bureau.alert(role="operations")
        wait_until(lambda: bureau.states() == ["sent", "waiting"])
    waiting = bureau.log()[-1]
    assert (waiting.key, waiting.state) == (first, "waiting")
    assert waiting.last_error == "the provider answered 200, code 230002: Bot is not in the chat."
    assert (waiting.due_at - waiting.created_at).total_seconds() >= 600


def test_what_was_perhaps_sent_is_sent_again_under_its_key_and_arrives_once(
    bureau: NoticeSenderAtWork, tenant: tuple[Feishu, str]
) -> None:
    provider, address = tenant
    provider.faults += [Fault(), DROP]
    key = bureau.alert()
    with senders(bureau.database, through_app(address, "duty_manager", "operations")):
        wait_until(lambda: bureau.states() == ["sent"])
    assert list(provider.messages) == [key]
    assert bureau.log()[0].tries == 2


def test_a_crash_between_sending_and_recording_repeats_under_the_same_uuid(
    bureau: NoticeSenderAtWork, tenant: tuple[Feishu, str]
) -> None:
    provider, address = tenant
    routes = through_app(address, "duty_manager")
    key = bureau.alert()
    # A process that sent it, and ended before it wrote so.
    way = routes.ways["duty_manager"]
    way.gateway.send(way.notice(key=key, title="[critical] timeout", text="m", trace_id="", recipient=None))
    with senders(bureau.database, routes):
        wait_until(lambda: bureau.states() == ["sent"])
    assert len(provider.named_by) == 2
    assert len(provider.messages) == 1
    assert bureau.log()[0].tries == 1


def test_a_provider_that_has_enough_is_left_alone_and_another_goes_on(
    bureau: NoticeSenderAtWork, tenant: tuple[Feishu, str]
) -> None:
    group = Dingtalk(most=1)
    for _ in range(2):
        bureau.alert()
    with serving(group) as address:
        full, other = through_dingtalk(address, "duty_manager"), through_app(tenant[1], "operations")
        with senders(bureau.database, NoticeRoutes({**full.ways, **other.ways})):
            wait_until(lambda: any(notice.last_error is not None for notice in bureau.log()))
            late = bureau.alert()
            wait_until(lambda: bureau.left_alone() == [late])
            beside = bureau.alert(role="operations")
            wait_until(lambda: bureau.log()[0].state == "sent")
    tries = {n.key: n.tries for n in bureau.log()}
    assert (tries.pop(late), tries.pop(beside)) == (0, 1)
    assert list(tries.values()) == [1, 1]
    assert len(group.in_group) == 1


def test_a_day_after_it_was_made_a_notice_is_given_up_without_an_alert(
    bureau: NoticeSenderAtWork, tenant: tuple[Feishu, str]
) -> None:
    provider, address = tenant
    provider.message_faults += [Fault(instead=Answered(500, b""))] * 3
    bureau.alert()
    bureau.change("UPDATE notices SET created_at = clock_timestamp() - interval '1 day'")
    with senders(bureau.database, through_app(address, "duty_manager")):
        wait_until(lambda: bureau.states() == ["given_up"])
    assert Probe(bureau.database).value("SELECT count(*) FROM alerts") == 1


def test_where_nobody_is_told_nothing_waits_and_nothing_more_is_made(bureau: NoticeSenderAtWork) -> None:
    bureau.alert()
    with senders(bureau.database, NoticeRoutes({})):
        wait_until(lambda: bureau.states() == ["given_up"])
    bureau.alert()
    assert bureau.states() == ["given_up"]


def test_a_notice_whose_run_has_failed_is_carried_by_another(
    bureau: NoticeSenderAtWork, tenant: tuple[Feishu, str]
) -> None:
    bureau.alert()
    bureau.change(
        "INSERT INTO runs (run_id, workflow, version, state, open_steps) "
        "VALUES ('exec_1', 'action:outbound.send_notice', '1', 'failed', 0)"
    )
    bureau.change("UPDATE notices SET run_id = 'exec_1'")
    with senders(bureau.database, through_app(tenant[1], "duty_manager", "operations")):
        wait_until(lambda: bureau.states() == ["sent"])
