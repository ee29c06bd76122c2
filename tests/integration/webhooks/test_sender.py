"""The way out: who is spoken to is looked at, and every failure is an answer."""

import asyncio
import threading

import pytest

from fleet.supervisor.ports import free_port
from tests.support.outbound.webhook_receiver import Reply, WebhookReceiver
from tests.support.outbound.webhook_sender import HERE
from tools.network.address import AddressRefused
from tools.webhooks.sender import DeliveryTry, WebhookMessage, WebhookSender
from tools.webhooks.signature import new_secret


def send(sender: WebhookSender, *urls: str) -> list[DeliveryTry]:
    """The answers to one message sent to each of these, one after another."""

    async def exchange() -> list[DeliveryTry]:
        async with sender:
            return [
                await sender.send(
                    WebhookMessage(message_id="msg_1", url=url, body=b"{}", secrets=(new_secret(),))
                )
                for url in urls
            ]

    return asyncio.run(exchange())


def refuse(_: str, __: str) -> None:
    raise AddressRefused("nobody may be spoken to")


def test_nothing_is_said_to_a_peer_that_may_not_be_spoken_to(receiver: WebhookReceiver) -> None:
    named = receiver.url.replace("127.0.0.1", "localhost")
    (answer,) = send(WebhookSender(addresses=HERE, judge=refuse), named)
    assert (answer.delivered, answer.error) == (False, "nobody may be spoken to")
    assert receiver.received == []


def test_what_a_name_leads_to_is_what_is_judged(receiver: WebhookReceiver) -> None:
    judged: list[tuple[str, str]] = []

    def judge(scheme: str, address: str) -> None:
        judged.append((scheme, address))
        HERE.check_peer(scheme, address)

    (answer,) = send(
        WebhookSender(addresses=HERE, judge=judge), receiver.url.replace("127.0.0.1", "localhost")
    )
    assert answer.delivered
    assert judged == [("http", "127.0.0.1")]


def test_a_connection_is_used_again(receiver: WebhookReceiver) -> None:
    judged: list[str] = []
    sender = WebhookSender(addresses=HERE, judge=lambda _, address: judged.append(address))
    assert [answer.status for answer in send(sender, *[receiver.url] * 3)] == [200, 200, 200]
    assert len(judged) == 1


@pytest.mark.parametrize("url", ["http://169.254.169.254/", "http://[::ffff:169.254.169.254]/"])
def test_a_forbidden_address_is_not_even_tried(url: str) -> None:
    (answer,) = send(WebhookSender(addresses=HERE), url)
    assert answer.status is None
    assert answer.error is not None
    assert "UNPEND_WEBHOOK_ALLOWED_NETWORKS" in answer.error


def test_nobody_at_home_is_an_answer() -> None:
    (answer,) = send(WebhookSender(addresses=HERE), f"http://127.0.0.1:{free_port()}/")
    assert (answer.status, answer.error) == (None, "no connection could be made")


def test_a_name_of_nobody_is_an_answer() -> None:
    (answer,) = send(WebhookSender(addresses=HERE, timeout_seconds=5), "https://nobody.invalid/")
    assert not answer.delivered


def test_a_slow_receiver_is_an_answer_within_the_time(receiver: WebhookReceiver) -> None:
    never = threading.Event()
    receiver.behaviour = lambda _: Reply(after=never)
    (answer,) = send(WebhookSender(addresses=HERE, timeout_seconds=0.2), receiver.url)
    never.set()
    assert (answer.status, answer.error) == (None, "no answer within 0.2 seconds")


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("7", 7.0),
        ("999999999999", 86_400.0),
        ("soon", None),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0.0),
        ("1 Jan 99999999999999999999 00:00:00 GMT", None),
    ],
)
def test_the_time_a_receiver_asks_for_is_read(
    receiver: WebhookReceiver, value: str, seconds: float | None
) -> None:
    receiver.behaviour = lambda _: Reply(503, {"Retry-After": value})
    (answer,) = send(WebhookSender(addresses=HERE), receiver.url)
    assert answer.retry_after_seconds == seconds
