"""The provider and recipient for each role of staff, from `config/notices.yaml`."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pydantic import SecretStr

from schemas.core.configuration import read_policy_file
from tools.im.contract import ImProviderName
from tools.notices.contract import Notice, NoticeButton, NoticeGateway
from tools.notices.dingtalk_bot import DingtalkBot
from tools.notices.feishu_app import FeishuAccount, FeishuApp
from tools.notices.feishu_bot import FeishuBot
from tools.notices.notices_file import (
    DingtalkBotDocument,
    FeishuAppDocument,
    FeishuBotDocument,
    NoticesDocument,
    ProviderDocument,
    WecomBotDocument,
)
from tools.notices.wecom_bot import WecomBot

FILE_NAME: Final = "notices.yaml"
_MESSENGERS: Final = {"feishu_app": ImProviderName.FEISHU.value}
"""The kinds of providers that can send a card to a person's account, and where those accounts are."""


class NoticeSecretMissing(ValueError):
    """`UNPEND_NOTICE_SECRETS` lacks a secret that a provider names, or is no JSON object; shows none of it."""


@dataclass(frozen=True, slots=True)
class NoticeRoute:
    """The provider and the recipient of one role's notices."""

    provider: str
    gateway: NoticeGateway
    to: str
    messenger: str | None = None
    """To whose accounts it can send cards."""

    def notice(self, *, key: str, title: str, text: str, trace_id: str, recipient: str | None) -> Notice:
        """Create a notice for this route; `recipient` is the engineer's id."""
        to = self.to.replace("{engineer_id}", recipient or "")
        return Notice(key=key, to=to, title=title, text=text, trace_id=trace_id)

    def card(
        self, *, key: str, title: str, text: str, trace_id: str, account: str, buttons: Sequence[NoticeButton]
    ) -> Notice:
        """Create a card for an account."""
        return Notice(
            key=key, to=account, title=title, text=text, trace_id=trace_id, is_card=True, buttons=buttons
        )


@dataclass(frozen=True, slots=True)
class NoticeRoutes:
    """The routes of all roles that get notices."""

    ways: Mapping[str, NoticeRoute]
    address: str = ""
    """Where people reach this installation; what is linked to begins with it."""

    @property
    def messengers(self) -> Mapping[str, str]:
        """By role, the messenger to whose accounts its cards are sent."""
        return {role: way.messenger for role, way in self.ways.items() if way.messenger is not None}

    def page_of(self, interrupt_id: str) -> str:
        """Where a question is answered."""
        return f"{self.address}/console/reviews/{interrupt_id}"

    def close(self) -> None:
        """Close every provider's connections."""
        for way in self.ways.values():
            way.gateway.close()


def open_notices(config_folder: Path, secrets: SecretStr | None) -> NoticeRoutes:
    """Create the routes of this installation; nothing is connected yet. Without the file there are none.

    Args:
        config_folder: Holds `notices.yaml`.
        secrets: A JSON object of the secrets by the names that the file uses.

    Raises:
        PolicyFileError: the file cannot be used.
        NoticeSecretMissing: it names a secret that is not there.
    """
    path = config_folder / FILE_NAME
    if not path.exists():
        return NoticeRoutes({})
    document = read_policy_file(path, NoticesDocument)
    if not document.routes:
        return NoticeRoutes({})
    given = _secrets(secrets)
    used = {route.provider for route in document.routes.values()}
    gateways = {
        name: _gateway(provider, _Ring(given, name))
        for name, provider in document.providers.items()
        if name in used
    }
    return NoticeRoutes(
        {
            role: NoticeRoute(
                route.provider,
                gateways[route.provider],
                route.to,
                _MESSENGERS.get(document.providers[route.provider].kind),
            )
            for role, route in document.routes.items()
        },
        document.address or "",
    )


@dataclass(frozen=True, slots=True)
class _Ring:
    """The secrets, asked for in the name of a provider."""

    secrets: Mapping[str, SecretStr]
    provider: str

    @property
    def setting(self) -> str:
        return f"{FILE_NAME}: providers.{self.provider}.base_url"

    def get(self, name: str) -> str:
        if name not in self.secrets:
            raise NoticeSecretMissing(
                f"{FILE_NAME}: providers.{self.provider} needs the secret '{name}'; add it to UNPEND_NOTICE_SECRETS"
            )
        return self.secrets[name].get_secret_value()

    def find(self, name: str | None) -> str | None:
        return None if name is None else self.get(name)


def _gateway(provider: ProviderDocument, ring: _Ring) -> NoticeGateway:
    match provider:
        case FeishuAppDocument():
            account = FeishuAccount(provider.app_id, ring.get(provider.app_secret), provider.named_by)
            return FeishuApp(provider.base_url, account, setting=ring.setting)
        case FeishuBotDocument():
            hook, secret = ring.get(provider.hook), ring.find(provider.secret)
            return FeishuBot(provider.base_url, hook, secret, setting=ring.setting)
        case WecomBotDocument():
            return WecomBot(provider.base_url, ring.get(provider.key), setting=ring.setting)
        case DingtalkBotDocument():
            token, secret = ring.get(provider.token), ring.find(provider.secret)
            return DingtalkBot(provider.base_url, token, secret, setting=ring.setting)


def _secrets(given: SecretStr | None) -> Mapping[str, SecretStr]:
    shape = 'UNPEND_NOTICE_SECRETS must be a JSON object of names and secrets, as {"duty_token": "…"}'
    written = given.get_secret_value().strip() if given else ""
    if not written:
        return {}
    try:
        document = json.loads(written)
    except ValueError:
        # The cause would show what was written.
        raise NoticeSecretMissing(f"{shape}; it is not JSON") from None
    if not isinstance(document, dict) or not all(isinstance(v, str) and v for v in document.values()):
        raise NoticeSecretMissing(shape)
    return {name: SecretStr(secret) for name, secret in document.items()}
