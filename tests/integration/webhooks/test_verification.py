"""The example of docs/webhooks.md verifies what is really sent."""

import re
from collections.abc import Callable, Mapping

import pytest

from runtime.settings import PROJECT
from tests.support.outbound.webhook_receiver import Received, WebhookReceiver
from tests.support.outbound.webhook_sender import WebhookSenderAtWork, couriers, event
from tests.support.waiting import wait_until
from tools.webhooks.signature import new_secret

Verify = Callable[[str, Mapping[str, str], bytes], bool]


@pytest.fixture
def verify() -> Verify:
    page = (PROJECT / "docs" / "webhooks.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```python\n(.*?)```", page, flags=re.DOTALL)
    names: dict[str, Verify] = {}
    exec(example, names)
    return names["verify"]


@pytest.fixture
def secret() -> str:
    return new_secret()


@pytest.fixture
def received(office: WebhookSenderAtWork, receiver: WebhookReceiver, secret: str) -> Received:
    office.subscribe(receiver.url, secret=secret)
    office.tell(event("a"))
    with couriers(office.database):
        wait_until(lambda: office.states() == ["delivered"])
    return receiver.received[0]


def test_a_message_is_verified(verify: Verify, received: Received, secret: str) -> None:
    assert verify(secret, received.headers, received.body)


def test_a_message_under_another_secret_is_not(verify: Verify, received: Received) -> None:
    assert not verify(new_secret(), received.headers, received.body)


def test_a_message_that_was_changed_is_not(verify: Verify, received: Received, secret: str) -> None:
    assert not verify(secret, received.headers, received.body + b" ")


def test_an_old_message_is_not(verify: Verify, received: Received, secret: str) -> None:
    at = int(received.headers["webhook-timestamp"]) - 600
    assert not verify(secret, {**received.headers, "webhook-timestamp": str(at)}, received.body)
