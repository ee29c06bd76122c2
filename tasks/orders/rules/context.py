"""The context of a process: tools, policies and data, made once and passed down."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache, cached_property, partial
from typing import Any
from zoneinfo import ZoneInfo

from runtime.blind_index import BlindIndex
from runtime.logs import logger
from runtime.personal import PersonalFields
from runtime.settings import PROJECT, Settings
from storage.core.database import Database
from storage.orders.order import Order
from tasks.orders.rules.channel_watch import ChannelWatch
from tasks.orders.rules.order_system import open_order_system
from tools.calendar import Calendar, HorizonWarning
from tools.channels.callbacks import CallbackReader
from tools.channels.contract import ChannelGateway
from tools.channels.routing import open_callback_readers, open_gateway
from tools.classifier.classifier import Classifier
from tools.classifier.files import ClassifierFiles, default_paths
from tools.contact_policy.policy import ContactPolicy
from tools.contact_policy.window import next_permitted
from tools.contact_policy.zone import customer_zone
from tools.language_model.client import LanguageModel
from tools.order_system.contract import OrderSystem
from tools.policies.approval import ApprovalPolicy
from tools.policies.folder import Policies
from tools.policies.permissions import Permissions
from tools.policies.personal import load_personal
from tools.policies.shadow_mode import ShadowMode
from tools.scripts.document import load_scripts
from tools.scripts.script import Scripts

_log = logger(__name__)


@dataclass(frozen=True, kw_only=True)
class Context:
    """The tools, policies and data of one process.

    The ways to other systems are opened where they are used: no other process is given the secrets for them.
    """

    database: Database
    open_gateway: Callable[[], ChannelGateway]
    open_callback_readers: Callable[[], Mapping[str, CallbackReader]]
    open_order_system: Callable[[], OrderSystem]
    acts_elsewhere: bool
    """Whether another system than our own tables carries actions out."""
    open_language_model: Callable[[], LanguageModel | None]
    classifier_files: ClassifierFiles
    policy: ContactPolicy
    calendar: Calendar
    permissions: Permissions
    approvals: ApprovalPolicy
    shadow_mode: ShadowMode
    personal: PersonalFields
    """Which fields of metadata are personal."""
    scripts: Scripts
    """The scripts of contacts: what customers hear and read."""
    blind_index: BlindIndex
    callback_url: str
    contacts_at_once: int
    reaches_masked: bool
    """Whether the channel can use a masked number: only the simulated customer can (SPEC.md §5)."""

    @cached_property
    def gateway(self) -> ChannelGateway:
        """What contacts are placed with."""
        return self.open_gateway()

    @cached_property
    def callback_readers(self) -> Mapping[str, CallbackReader]:
        """Whoever reads what a provider calls back with, by the provider's name."""
        return self.open_callback_readers()

    @cached_property
    def order_system(self) -> OrderSystem:
        """Where actions are carried out."""
        return self.open_order_system()

    @cached_property
    def language_model(self) -> LanguageModel | None:
        """A second opinion on customers' words; `None` unless the installation names an endpoint."""
        return self.open_language_model()

    def close(self) -> None:
        """Close the ways to other systems that were opened."""
        for name in ("gateway", "order_system", "language_model"):
            way = vars(self).get(name)
            if way is not None:
                way.close()

    @cached_property
    def classifier(self) -> Classifier:
        """The intent model; loaded by the processes that classify, not by those that never do."""
        return _classifier_of(self.classifier_files)

    def zone(self, order: Order) -> ZoneInfo:
        """The customer's time zone."""
        return customer_zone(_text(order.metadata.get("timezone")))

    def next_contact(self, order: Order, at: datetime, history: list[datetime]) -> datetime:
        """The earliest permitted moment for the next contact, not before `at`, by the business clock.

        Where there is none within the policy's horizon, that is the end of the horizon: it is looked for again then.
        """
        found = next_permitted(
            at, history=history, zone=self.zone(order), policy=self.policy, calendar=self.calendar
        )
        if found is None:
            days = self.policy.horizon_days
            _log.warning("no permitted time within the horizon", policy=self.policy.name, days=days)
            return at + timedelta(days=days)
        warning = self.calendar.horizon_warning(found.astimezone(self.zone(order)).date())
        if warning is not None and not self._warned:
            # Once a process: `unpend status` goes on saying it.
            self._warned.append(warning)
            _log.warning(warning.sentence)
        return found

    @cached_property
    def channel_watch(self) -> ChannelWatch:
        """What this process has seen of the channels."""
        return ChannelWatch(self.database)

    @cached_property
    def _warned(self) -> list[HorizonWarning]:
        return []


@cache
def _classifier_of(files: ClassifierFiles) -> Classifier:
    """The intent model of these files, loaded once a process."""
    return Classifier.load(files.weights, files.rules)


def make_context(settings: Settings, database: Database) -> Context:
    """The context of this process, from its settings.

    Raises:
        PolicyFileError: a file of the configuration cannot be used.
    """
    policies = Policies.read(settings.config_folder, settings.contact_policy)
    instant = settings.channel == "instant"
    return Context(
        database=database,
        open_gateway=partial(open_gateway, settings),
        open_callback_readers=partial(open_callback_readers, settings),
        open_order_system=partial(open_order_system, settings, database),
        acts_elsewhere=settings.order_system_url is not None,
        open_language_model=partial(_language_model, settings),
        classifier_files=default_paths(),
        policy=policies.contact,
        calendar=policies.calendar,
        permissions=policies.permissions,
        approvals=policies.approval,
        shadow_mode=policies.shadow,
        personal=policies.personal,
        scripts=scripts_of(settings, policies.personal),
        blind_index=BlindIndex.of_settings(settings),
        callback_url=f"{settings.callback_base_url}/webhooks/contact/{settings.channel_provider}",
        contacts_at_once=settings.largest_batch if instant else settings.contacts_at_once,
        reaches_masked=instant or (settings.channel == "http" and settings.channel_provider == "simulator"),
    )


def scripts_of(settings: Settings, personal: PersonalFields | None = None) -> Scripts:
    """The installation's own scripts; the project's where its configuration holds none.

    Raises:
        PolicyFileError: a file cannot be used.
    """
    personal = personal or load_personal(settings.config_folder / "policies" / "personal.yaml")
    own = settings.config_folder / "scripts"
    return load_scripts(own if own.is_dir() else PROJECT / "config" / "scripts", personal)


def _language_model(settings: Settings) -> LanguageModel | None:
    if not settings.language_model_url:
        return None
    key = settings.language_model_key
    token = key.get_secret_value() if key else ""
    return LanguageModel(settings.language_model_url, token, settings.language_model_name)


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None
