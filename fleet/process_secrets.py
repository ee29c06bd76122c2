"""Which process of the fleet is given which secrets: what it needs for its work, and nothing more."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from runtime.settings import NAMED_SECRETS, REQUEST_SECRET, WEBHOOK_SECRET

DATABASE: Final = frozenset({"UNPEND_DATABASE_URL"})
BROKER: Final = frozenset({"UNPEND_BROKER_URL"})
SEALED: Final = frozenset(
    {"UNPEND_CIPHER_KEY", "UNPEND_CIPHER_KEYS_OLD", "UNPEND_INDEX_KEY", "UNPEND_INDEX_KEYS_OLD"}
)
CHANNEL: Final = frozenset({"UNPEND_CALLBACK_SECRET", "UNPEND_CHANNEL_TOKEN"})
FLOWER: Final = frozenset({"FLOWER_BASIC_AUTH"})
CONTACTS: Final = frozenset(
    {
        "UNPEND_ALIYUN_ACCESS_KEY_ID",
        "UNPEND_ALIYUN_ACCESS_KEY_SECRET",
        "UNPEND_TWILIO_ACCOUNT_SID",
        "UNPEND_TWILIO_AUTH_TOKEN",
    }
)
"""What contacts are placed with."""
CALLBACKS: Final = frozenset(
    {"UNPEND_CALLBACK_SECRET", "UNPEND_ALIYUN_CALLBACK_TOKEN", "UNPEND_TWILIO_AUTH_TOKEN"}
)
"""What callbacks are verified with; Twilio signs them with the token by which it is asked."""
ORDER_SYSTEM: Final = frozenset({"UNPEND_ORDER_SYSTEM_SECRET"})
LANGUAGE_MODEL: Final = frozenset({"UNPEND_LANGUAGE_MODEL_KEY"})
NOTICES: Final = frozenset({"UNPEND_NOTICE_SECRETS"})
IM: Final = frozenset(
    {
        "UNPEND_IM_FEISHU_ENCRYPT_KEY",
        "UNPEND_IM_FEISHU_VERIFICATION_TOKEN",
        "UNPEND_IM_WECOM_TOKEN",
        "UNPEND_IM_WECOM_AES_KEY",
        "UNPEND_IM_DINGTALK_APP_SECRET",
        "UNPEND_IM_DINGTALK_CARD_SECRET",
    }
)
"""What callbacks of messengers are verified with."""
LIMITS: Final = frozenset({"UNPEND_LIMITS_URL"})
INTAKE: Final = frozenset({"UNPEND_INTAKE_AMQP_URL"})

SECRETS: Final = frozenset().union(
    *(DATABASE, BROKER, SEALED, CHANNEL, FLOWER, CONTACTS, CALLBACKS),
    *(ORDER_SYSTEM, LANGUAGE_MODEL, NOTICES, IM, LIMITS, INTAKE),
)

WORK: Final = DATABASE | BROKER | SEALED
"""What every process that carries work is given."""
_OTHERS: Final[Mapping[str, frozenset[str]]] = MappingProxyType(
    {
        "api": WORK | CALLBACKS | ORDER_SYSTEM | IM | LIMITS,
        "intake": WORK | INTAKE | LIMITS,
        "worker-contact": WORK | CHANNEL | CONTACTS,
        "worker-triage": WORK | LANGUAGE_MODEL,
        "worker-action": WORK | ORDER_SYSTEM,
        "worker-outbound": WORK | NOTICES | LIMITS,
        "flower": BROKER | FLOWER,
        "beat": BROKER,
        "exporter": DATABASE | BROKER,
        "simulator": CHANNEL,
    }
)
NAMED: Final[Mapping[str, str]] = MappingProxyType({"api": WEBHOOK_SECRET, "worker-general": REQUEST_SECRET})
"""Who is given secrets that definitions name, and how their variables begin: the API verifies webhooks, the worker
sends requests."""


def secrets_of(process: str) -> frozenset[str]:
    """The variables with secrets that a process is given, by its name in `run.json`."""
    return _OTHERS.get(process, WORK)


def is_secret(name: str) -> bool:
    """Whether a variable of this name holds a secret."""
    return name in SECRETS or name.startswith(NAMED_SECRETS)


def without_others(process: str, environment: Mapping[str, str]) -> dict[str, str]:
    """An environment without the secrets that this process is not given."""
    kept, named = secrets_of(process), NAMED.get(process)
    return {
        name: value
        for name, value in environment.items()
        if not is_secret(name) or name in kept or (named is not None and name.startswith(named))
    }
