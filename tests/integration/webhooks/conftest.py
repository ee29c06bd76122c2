"""A receiver, and an office over a fresh database."""

from collections.abc import Iterator

import pytest

from storage.core.database import Database
from tests.support.outbound.webhook_receiver import WebhookReceiver
from tests.support.outbound.webhook_sender import WebhookSenderAtWork


@pytest.fixture
def receiver() -> Iterator[WebhookReceiver]:
    with WebhookReceiver() as listening:
        yield listening


@pytest.fixture
def office(database: Database) -> WebhookSenderAtWork:
    return WebhookSenderAtWork(database)
