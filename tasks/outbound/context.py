"""What sending needs in one process: the ways to subscribers and to staff; nothing is made before it is used."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Self

from runtime.settings import Settings
from storage.core.unit_of_work import UnitOfWork
from tasks.forms import TaskForms
from tasks.im.cards import QuestionCard, card_within
from tasks.im.tokens import CardTokens
from tasks.outbound.notifying import StaffNotices
from tasks.outbound.sending import Webhooks
from tools.notices.routing import open_notices
from tools.webhooks.address import WebhookAddresses

QuestionCards = Callable[[UnitOfWork, str], QuestionCard | None]
"""The buttons of the question of this id; nothing where there is no such question."""


def no_card(_: UnitOfWork, __: str) -> None:
    """Where nothing says how questions are answered their notices have no buttons."""


@dataclass(slots=True)
class OutboundContext:
    """The ways out of this process."""

    webhooks: Webhooks = field(default_factory=Webhooks)
    notices: StaffNotices = field(default_factory=StaffNotices)
    card: QuestionCards = no_card
    """The buttons of an open question."""

    @classmethod
    def of_settings(cls, settings: Settings, forms: TaskForms) -> Self:
        """The ways out as this installation has them; questions are answered in these forms."""
        tokens = CardTokens.of_settings(settings)
        return cls(
            webhooks=Webhooks(addresses=WebhookAddresses(settings.webhook_networks)),
            notices=StaffNotices(lambda: open_notices(settings.config_folder, settings.notice_secrets)),
            card=lambda work, interrupt_id: card_within(work, forms, tokens, interrupt_id),
        )

    def close(self) -> None:
        """Close the connections."""
        self.webhooks.close()
        self.notices.close()
