"""What sending needs in one process: the ways to subscribers and to staff; nothing is made before it is used."""

from dataclasses import dataclass, field
from typing import Self

from runtime.settings import Settings
from tasks.outbound.notifying import StaffNotices
from tasks.outbound.sending import Webhooks
from tools.notices.routing import open_notices
from tools.webhooks.address import WebhookAddresses


@dataclass(slots=True)
class OutboundContext:
    """The ways out of this process."""

    webhooks: Webhooks = field(default_factory=Webhooks)
    notices: StaffNotices = field(default_factory=StaffNotices)

    @classmethod
    def of_settings(cls, settings: Settings) -> Self:
        """The ways out as this installation has them."""
        return cls(
            webhooks=Webhooks(addresses=WebhookAddresses(settings.webhook_networks)),
            notices=StaffNotices(lambda: open_notices(settings.config_folder, settings.notice_secrets)),
        )

    def close(self) -> None:
        """Close the connections."""
        self.webhooks.close()
        self.notices.close()
