"""A channel that is away is told to people once, however many orders wait for it, until it sends again."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from schemas.orders.contact import Channel
from storage.engine.clock import BusinessClock
from storage.people.alerts import Alert, AlertFilter, Alerts
from tasks.orders.rules.channel_watch import ALERT, AWAY_AFTER, ChannelWatch
from tests.support.in_process_fleet import InProcessFleet
from tests.support.orders.contact_constraints import accepted, wake
from tests.support.orders.scripted_channel import ScriptedChannel
from tools.channels.contract import NotSent

NO_MONEY = NotSent("isv.AMOUNT_NOT_ENOUGH of 13800138000")


@pytest.fixture
def line() -> ScriptedChannel:
    return ScriptedChannel()


@pytest.fixture
def waiting(database_url: str, line: ScriptedChannel) -> Iterator[InProcessFleet]:
    house = InProcessFleet.build(database_url, gateway=line)
    yield house
    house.close()


def alerts(house: InProcessFleet) -> list[Alert]:
    with house.database.transaction() as work:
        return Alerts(work).list(AlertFilter(alert_type=ALERT), after=None, limit=100)


def failing_for(
    house: InProcessFleet, watch: ChannelWatch, time: timedelta, channel: Channel = Channel.PHONE
) -> None:
    """Let a channel have failed for so long, as this process saw it."""
    with house.database.transaction() as work:
        now = BusinessClock(work).now().database_now
    watch.failed(channel, NO_MONEY.reason, now - time)


def test_many_orders_that_cannot_be_sent_raise_one_alert_and_it_ends_with_the_fault(
    waiting: InProcessFleet, line: ScriptedChannel
) -> None:
    line.answers = [NO_MONEY] * 100
    failing_for(waiting, waiting.context.channel_watch, AWAY_AFTER)
    for number in range(10):
        accepted(waiting, f"1390000{number:04}")
    for _ in range(3):
        waiting.run()
        wake(waiting)
    (alert,) = alerts(waiting)
    assert (alert.severity, alert.escalated_to, alert.status) == (
        "critical",
        "duty_manager",
        "pending_review",
    )
    assert alert.metadata["channel"] == "phone"
    assert "13800138000" not in alert.message
    line.answers = []
    waiting.run()
    assert line.reached
    (alert,) = alerts(waiting)
    assert (alert.status, alert.handled_by) == ("resolved", "contact_agent")


def test_a_fault_of_a_moment_alerts_nobody(waiting: InProcessFleet, line: ScriptedChannel) -> None:
    line.answers = [NO_MONEY]
    accepted(waiting, "13900000001")
    waiting.run()
    wake(waiting)
    waiting.run()
    assert line.reached
    assert alerts(waiting) == []


def test_a_channel_that_sends_now_and_then_is_not_away(waiting: InProcessFleet) -> None:
    watch = ChannelWatch(waiting.database)
    failing_for(waiting, watch, AWAY_AFTER * 2)
    watch.sent(Channel.PHONE)
    failing_for(waiting, watch, AWAY_AFTER / 2)
    failing_for(waiting, watch, timedelta())
    assert alerts(waiting) == []


def test_processes_that_see_the_same_fault_raise_one_alert_for_each_channel(waiting: InProcessFleet) -> None:
    for watch in (ChannelWatch(waiting.database), ChannelWatch(waiting.database)):
        for channel in (Channel.PHONE, Channel.SMS):
            failing_for(waiting, watch, AWAY_AFTER, channel)
            failing_for(waiting, watch, timedelta(), channel)
    assert sorted(alert.metadata["channel"] for alert in alerts(waiting)) == ["phone", "sms"]


def test_an_alert_of_a_process_that_is_gone_is_resolved_by_the_next(waiting: InProcessFleet) -> None:
    gone = ChannelWatch(waiting.database)
    failing_for(waiting, gone, AWAY_AFTER)
    failing_for(waiting, gone, timedelta())
    ChannelWatch(waiting.database).sent(Channel.SMS)
    assert [alert.status for alert in alerts(waiting)] == ["pending_review"]
    ChannelWatch(waiting.database).sent(Channel.PHONE)
    assert [alert.status for alert in alerts(waiting)] == ["resolved"]
