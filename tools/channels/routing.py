"""Sends each channel through its configured provider, and finds callback readers by provider name."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from pydantic import SecretStr

from runtime.settings import Settings
from schemas.core.configuration import read_policy_file
from schemas.orders.contact import Channel
from tools.channels.aliyun.api import AliyunApi
from tools.channels.aliyun.callbacks import AliyunReader
from tools.channels.aliyun.signature import AccessKey
from tools.channels.aliyun.sms import AliyunSms, SmsAccount
from tools.channels.aliyun.voice import AliyunVoice, VoiceAccount
from tools.channels.callbacks import CallbackReader, SignedReader
from tools.channels.channels_file import (
    AliyunSmsDocument,
    AliyunVoiceDocument,
    ApprovedTemplateDocument,
    ChannelsDocument,
    ProviderDocument,
    TwilioCallsDocument,
    TwilioMessagesDocument,
    WebhookDocument,
)
from tools.channels.contract import (
    ChannelGateway,
    ContactQuery,
    ContactRequest,
    QueryOutcome,
    Rejected,
    SendOutcome,
    Unreachable,
)
from tools.channels.http_channel import HttpChannel
from tools.channels.script import Template
from tools.channels.simulated.instant import InstantChannel
from tools.channels.twilio.api import TwilioAccount, TwilioApi
from tools.channels.twilio.callbacks import TwilioReader
from tools.channels.twilio.calls import CallSender, TwilioCalls
from tools.channels.twilio.messages import MessageSender, TwilioMessages

ALIYUN: Final = "aliyun"
TWILIO: Final = "twilio"
"""The names their callbacks come under: `/webhooks/contact/{name}`."""

_FILE: Final = "channels.yaml"


class ChannelSecretMissing(ValueError):
    """A provider is configured whose secret is not set; the message names the setting."""


@dataclass(frozen=True, slots=True)
class _Way:
    gateway: ChannelGateway
    timeout_seconds: float | None


class RoutedChannel:
    """A `ChannelGateway` that chooses the provider by channel; safe to share between threads."""

    def __init__(self, ways: Mapping[Channel, _Way]) -> None:
        self._ways = dict(ways)

    def __repr__(self) -> str:
        """Which channel goes where."""
        ways = ", ".join(f"{channel.value}={way.gateway!r}" for channel, way in self._ways.items())
        return f"RoutedChannel({ways})"

    def send(self, request: ContactRequest) -> SendOutcome:
        """Send through the channel's provider, within the shorter of its own limit and the request's."""
        way = self._ways.get(request.channel)
        if way is None:
            return Rejected(
                f"no provider is configured for {request.channel.value}; see config/channels.yaml"
            )
        if way.timeout_seconds is None or way.timeout_seconds >= request.timeout_seconds:
            return way.gateway.send(request)
        return way.gateway.send(replace(request, timeout_seconds=way.timeout_seconds))

    def query(self, sought: ContactQuery, *, timeout_seconds: float) -> QueryOutcome:
        """Query the channel's provider."""
        way = self._ways.get(sought.channel)
        if way is None:
            return Unreachable(f"no provider is configured for {sought.channel.value} any more")
        return way.gateway.query(sought, timeout_seconds=timeout_seconds)

    def close(self) -> None:
        """Close every provider's connections."""
        for way in self._ways.values():
            way.gateway.close()


def open_gateway(settings: Settings) -> ChannelGateway:
    """Create what contacts are placed with; nothing is connected yet.

    Raises:
        PolicyFileError: `config/channels.yaml` is wanted and cannot be used.
        ChannelSecretMissing: it names a provider whose secret is not set.
        ValueError: an address is none.
    """
    if settings.channel == "instant":
        return InstantChannel()
    if settings.channel == "http":
        return _webhook(settings, settings.channel_url, "channel_url")
    path = settings.config_folder / _FILE
    ways = {
        channel: _Way(_gateway(settings, provider, _place(path, channel)), provider.timeout_seconds)
        for channel, provider in read_policy_file(path, ChannelsDocument).channels.items()
    }
    return RoutedChannel(ways)


def open_callback_readers(settings: Settings) -> Mapping[str, CallbackReader]:
    """Create what reads the providers' callbacks, by the provider's name.

    Raises:
        PolicyFileError: `config/channels.yaml` is wanted and cannot be used.
        ChannelSecretMissing: it names a provider whose secret is not set, or our own is not set.
    """
    own: dict[str, CallbackReader] = {settings.channel_provider: SignedReader([_callback_secret(settings)])}
    if settings.channel != "routed":
        return own
    document = read_policy_file(settings.config_folder / _FILE, ChannelsDocument)
    return own | _readers(settings, document)


def _place(path: Path, channel: Channel) -> str:
    return f"{path.name}: channels.{channel.value}.base_url"


def _readers(settings: Settings, document: ChannelsDocument) -> dict[str, CallbackReader]:
    readers: dict[str, CallbackReader] = {}
    if document.uses(ALIYUN):
        voice = document.channels.get(Channel.PHONE)
        token = _secret(settings.aliyun_callback_token, "aliyun_callback_token")
        keys = voice.keys if isinstance(voice, AliyunVoiceDocument) else {}
        readers[ALIYUN] = AliyunReader(token, document.aliyun_networks, keys)
    if document.uses(TWILIO):
        calls = document.channels.get(Channel.PHONE)
        token = _secret(settings.twilio_auth_token, "twilio_auth_token")
        readers[TWILIO] = (
            TwilioReader(token, calls.language, calls.thanks)
            if isinstance(calls, TwilioCallsDocument)
            else TwilioReader(token)
        )
    return readers


def _gateway(settings: Settings, provider: ProviderDocument, place: str) -> ChannelGateway:
    match provider:
        case AliyunSmsDocument():
            sms = SmsAccount(provider.sign_name, _templates(provider.scripts), provider.extend_code)
            return AliyunSms(_aliyun(settings, provider.base_url, place), sms)
        case AliyunVoiceDocument():
            voice = VoiceAccount(
                _templates(provider.scripts), provider.shown_number, provider.play_times, provider.keys
            )
            return AliyunVoice(_aliyun(settings, provider.base_url, place), voice)
        case TwilioMessagesDocument():
            texts = MessageSender(provider.sender, provider.scripts, _callback_url(settings, TWILIO))
            return TwilioMessages(_twilio(settings, provider.base_url, place), texts)
        case TwilioCallsDocument():
            calls = CallSender(
                provider.sender,
                provider.scripts,
                _callback_url(settings, TWILIO),
                provider.language,
                provider.ring_seconds,
                provider.detects_machines,
            )
            return TwilioCalls(_twilio(settings, provider.base_url, place), calls)
        case WebhookDocument():
            return _webhook(settings, provider.base_url or settings.channel_url, place)


def _aliyun(settings: Settings, base_url: str, place: str) -> AliyunApi:
    access = AccessKey(
        _secret(settings.aliyun_access_key_id, "aliyun_access_key_id"),
        _secret(settings.aliyun_access_key_secret, "aliyun_access_key_secret"),
    )
    return AliyunApi(base_url, access, setting=place, max_connections=settings.contacts_at_once)


def _twilio(settings: Settings, base_url: str, place: str) -> TwilioApi:
    account = TwilioAccount(
        _secret(settings.twilio_account_sid, "twilio_account_sid"),
        _secret(settings.twilio_auth_token, "twilio_auth_token"),
    )
    return TwilioApi(base_url, account, setting=place, max_connections=settings.contacts_at_once)


def _webhook(settings: Settings, base_url: str, place: str) -> HttpChannel:
    return HttpChannel(
        base_url,
        settings.channel_token.get_secret_value(),
        secret=_callback_secret(settings),
        max_connections=settings.contacts_at_once,
        setting=place,
    )


def _templates(scripts: Mapping[str, ApprovedTemplateDocument]) -> dict[str, Template]:
    return {script_id: Template(wanted.code, wanted.variables) for script_id, wanted in scripts.items()}


def _callback_url(settings: Settings, provider: str) -> str:
    return f"{settings.callback_base_url}/webhooks/contact/{provider}"


def _callback_secret(settings: Settings) -> str:
    secret = settings.callback_secret.get_secret_value()
    if not secret:
        raise ChannelSecretMissing(
            "UNPEND_CALLBACK_SECRET is not set; it proves what goes to the channel and what comes back from it"
        )
    return secret


def _secret(given: SecretStr | None, setting: str) -> str:
    secret = "" if given is None else given.get_secret_value()
    if not secret:
        raise ChannelSecretMissing(
            f"config/channels.yaml names a provider that needs UNPEND_{setting.upper()}; set it, or choose another"
        )
    return secret
