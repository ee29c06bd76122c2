"""What the work needs of the world, made once a process and passed down."""

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

from runtime.blind_index import BlindIndex
from runtime.settings import Settings
from storage.database import Database
from storage.order import Order
from tools.calendar import Calendar
from tools.calendar.document import load_calendar
from tools.channels.contract import ChannelGateway
from tools.channels.http_channel import HttpChannel
from tools.channels.instant import InstantChannel
from tools.classifier.classifier import Classifier
from tools.classifier.files import ClassifierFiles, default_paths
from tools.contact_policy.document import load_policies
from tools.contact_policy.policy import ContactPolicy
from tools.contact_policy.window import next_permitted
from tools.contact_policy.zone import customer_zone
from tools.permissions import Permissions, load_permissions


@dataclass(frozen=True, kw_only=True)
class Context:
    """The tools, policies and data of one process."""

    database: Database
    gateway: ChannelGateway
    classifier_files: ClassifierFiles
    policy: ContactPolicy
    calendar: Calendar
    permissions: Permissions
    blind_index: BlindIndex
    callback_url: str
    contacts_at_once: int
    reaches_masked: bool
    """Whether the channel can use a masked number: only the simulated customer can (SPEC.md §5)."""

    @cached_property
    def classifier(self) -> Classifier:
        """The intent model; loaded by the processes that classify, not by those that never do."""
        return Classifier.load(self.classifier_files.weights, self.classifier_files.rules)

    def zone(self, order: Order) -> ZoneInfo:
        """The customer's time zone."""
        return customer_zone(_text(order.metadata.get("timezone")))

    def next_contact(self, order: Order, at: datetime, history: list[datetime]) -> datetime:
        """The earliest permitted moment for the next contact, not before `at`, by the business clock."""
        return next_permitted(
            at, history=history, zone=self.zone(order), policy=self.policy, calendar=self.calendar
        )


def make_context(settings: Settings, database: Database) -> Context:
    """The context of this process, from its settings."""
    policies = load_policies(settings.config_folder / "policies" / "contact.yaml")
    instant = settings.channel == "instant"
    return Context(
        database=database,
        gateway=InstantChannel()
        if instant
        else HttpChannel(
            settings.channel_url,
            settings.channel_token.get_secret_value(),
            max_connections=settings.contacts_at_once,
        ),
        classifier_files=default_paths(),
        policy=policies[settings.contact_policy],
        calendar=load_calendar(settings.config_folder / "policies" / "calendar.yaml"),
        permissions=load_permissions(settings.config_folder / "policies" / "permissions.yaml"),
        blind_index=BlindIndex.of_settings(settings),
        callback_url=f"{settings.callback_base_url}/webhooks/contact/{settings.channel_provider}",
        contacts_at_once=settings.largest_batch if instant else settings.contacts_at_once,
        reaches_masked=instant or settings.channel_provider == "simulator",
    )


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None
