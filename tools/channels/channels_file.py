"""The schema of `config/channels.yaml`: the provider of each channel, and its account.

Secrets are not in it: they are settings of the installation.
"""

import re
from ipaddress import IPv4Network, IPv6Network
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from schemas.orders.contact import Channel

_GAPS: Final = re.compile(r"\{([^{}]*)\}")
_GAP_NAME: Final = re.compile(r"[a-z_]+")


def _with_known_gaps(text: str) -> str:
    odd = [gap for gap in _GAPS.findall(text) if not _GAP_NAME.fullmatch(gap)]
    if odd:
        raise ValueError(f"{{{odd[0]:.40}}} is no gap; write {{order_type}} or {{product}}")
    return text


Words = Annotated[str, Field(min_length=1, max_length=1000), AfterValidator(_with_known_gaps)]
Url = Annotated[str, Field(pattern=r"^https?://[^\s/@]+", max_length=500)]
Key = Annotated[str, Field(pattern=r"^[0-9*#]$")]
ScriptId = Annotated[str, Field(min_length=1, max_length=64)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Provider(_Part):
    timeout_seconds: float | None = Field(default=None, gt=0, le=60)
    """The longest a contact may take to place; the tool's own limit where it is shorter or none is given."""


class ApprovedTemplateDocument(_Part):
    """A template approved by the provider, with the variables of ours that it takes."""

    code: str = Field(min_length=1, max_length=64)
    variables: tuple[str, ...] = ()


class AliyunSmsDocument(_Provider):
    """Text messages through Aliyun (短信服务)."""

    provider: Literal["aliyun_sms"]
    base_url: Url = "https://dysmsapi.aliyuncs.com"
    sign_name: str = Field(min_length=1, max_length=32)
    scripts: dict[ScriptId, ApprovedTemplateDocument] = Field(min_length=1)
    extend_code: bool = False


class AliyunVoiceDocument(_Provider):
    """Calls through Aliyun (语音服务)."""

    provider: Literal["aliyun_voice"]
    base_url: Url = "https://dyvmsapi.aliyuncs.com"
    scripts: dict[ScriptId, ApprovedTemplateDocument] = Field(min_length=1)
    shown_number: str | None = Field(default=None, max_length=32)
    play_times: int = Field(default=2, ge=1, le=3)
    keys: dict[Key, str] = Field(default_factory=dict)


class TwilioMessagesDocument(_Provider):
    """Text messages through Twilio."""

    provider: Literal["twilio_messages"]
    base_url: Url = "https://api.twilio.com"
    sender: str = Field(pattern=r"^(\+[1-9][0-9]{6,14}|MG[0-9a-f]{32})$")
    scripts: dict[ScriptId, Words] = Field(default_factory=dict)


class TwilioCallsDocument(_Provider):
    """Calls through Twilio."""

    provider: Literal["twilio_calls"]
    base_url: Url = "https://api.twilio.com"
    sender: str = Field(pattern=r"^\+[1-9][0-9]{6,14}$")
    scripts: dict[ScriptId, Words] = Field(default_factory=dict)
    language: str = Field(default="zh-CN", pattern=r"^[A-Za-z-]{2,15}$")
    ring_seconds: int = Field(default=30, ge=5, le=600)
    detects_machines: bool = True
    thanks: str = Field(default="好的，已为您记录，再见。", min_length=1, max_length=200)


class WebhookDocument(_Provider):
    """A vendor with our signed protocol (docs/channels.md); without `url` the address of the settings is used."""

    provider: Literal["webhook"]
    base_url: Url | None = None


ProviderDocument = Annotated[
    AliyunSmsDocument | AliyunVoiceDocument | TwilioMessagesDocument | TwilioCallsDocument | WebhookDocument,
    Field(discriminator="provider"),
]

_SERVES: Final = {
    "aliyun_sms": {Channel.SMS},
    "aliyun_voice": {Channel.PHONE},
    "twilio_messages": {Channel.SMS},
    "twilio_calls": {Channel.PHONE},
    "webhook": set(Channel),
}


class ChannelsDocument(_Part):
    """The content of the channels file."""

    channels: dict[Channel, ProviderDocument] = Field(min_length=1)
    aliyun_networks: tuple[IPv4Network | IPv6Network, ...] = ()
    """From where Aliyun may push; empty for anywhere, the token in the address being the proof."""

    @model_validator(mode="after")
    def _every_provider_serves_its_channel(self) -> "ChannelsDocument":
        for channel, provider in self.channels.items():
            if channel not in _SERVES[provider.provider]:
                raise ValueError(f"{provider.provider} is no provider of {channel.value}")
        return self

    def uses(self, prefix: str) -> bool:
        """Whether any channel uses a provider whose name begins with this prefix."""
        return any(provider.provider.startswith(prefix) for provider in self.channels.values())
