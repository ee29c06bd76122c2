"""Which process of the fleet is given which secrets: what it needs for its work, and nothing more."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

DATABASE: Final = frozenset({"UNPEND_DATABASE_URL"})
BROKER: Final = frozenset({"UNPEND_BROKER_URL"})
SEALED: Final = frozenset(
    {"UNPEND_CIPHER_KEY", "UNPEND_CIPHER_KEYS_OLD", "UNPEND_INDEX_KEY", "UNPEND_INDEX_KEYS_OLD"}
)
CHANNEL: Final = frozenset({"UNPEND_CALLBACK_SECRET", "UNPEND_CHANNEL_TOKEN"})
FLOWER: Final = frozenset({"FLOWER_BASIC_AUTH"})
PROVIDERS: Final = frozenset(
    {
        "UNPEND_ALIYUN_ACCESS_KEY_ID",
        "UNPEND_ALIYUN_ACCESS_KEY_SECRET",
        "UNPEND_ALIYUN_CALLBACK_TOKEN",
        "UNPEND_TWILIO_ACCOUNT_SID",
        "UNPEND_TWILIO_AUTH_TOKEN",
        "UNPEND_NOTICE_SECRETS",
        "UNPEND_ORDER_SYSTEM_SECRET",
        "UNPEND_LANGUAGE_MODEL_KEY",
        "UNPEND_LIMITS_URL",
        "UNPEND_INTAKE_AMQP_URL",
    }
)
"""What the world outside and other servers want of us; given where the installation has it."""

SECRETS: Final = DATABASE | BROKER | SEALED | CHANNEL | FLOWER | PROVIDERS

_WORK: Final = DATABASE | BROKER | SEALED | CHANNEL | PROVIDERS
"""Every process that carries work opens the same context, channels included."""
_WATCHERS: Final[Mapping[str, frozenset[str]]] = MappingProxyType(
    {
        "flower": BROKER | FLOWER,
        "beat": BROKER,
        "exporter": DATABASE | BROKER,
        "simulator": CHANNEL,
    }
)


def secrets_of(process: str) -> frozenset[str]:
    """The variables with secrets that a process is given, by its name in `run.json`."""
    return _WATCHERS.get(process, _WORK)


def without_others(process: str, environment: Mapping[str, str]) -> dict[str, str]:
    """An environment without the secrets that this process is not given."""
    kept = secrets_of(process)
    return {name: value for name, value in environment.items() if name not in SECRETS or name in kept}
