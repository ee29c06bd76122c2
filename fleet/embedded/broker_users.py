"""The users of the broker, and what each may do, in the words of the server's configuration.

The default user, who may do everything, is the operator's: no process of the fleet is given its password.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

FLEET: Final = "~* &* +@all -@admin -@dangerous -function -script|flush -script|kill +info"
"""Who works: every key and channel, but no setting, no other user, no command that empties or ends the server."""

_CONNECTING: Final = "+ping +hello +auth +client|setname +client|setinfo"
"""What every client says when it connects."""

PRODUCER: Final = f"resetkeys ~task.created resetchannels -@all +xadd {_CONNECTING}"
"""Who sends orders in: adding to the stream, and nothing else."""

FLOWER: Final = (
    "resetkeys ~celeryev.* ~*.reply.celery.pidbox*"
    " ~_kombu.binding.celeryev ~_kombu.binding_permanent.celeryev"
    " ~_kombu.binding.reply.celery.pidbox ~_kombu.binding_permanent.reply.celery.pidbox"
    " resetchannels &/0.celeryev/*"
    f" -@all {_CONNECTING} +multi +exec +sadd +srem +del +brpop +psubscribe +punsubscribe +unsubscribe"
    " (%R~* resetchannels -@all +llen) (resetkeys &/0.celery.pidbox -@all +publish)"
)
"""Flower: it listens to events, asks workers over one channel, takes the answers from queues of its own, and sees how
long any queue is."""

USERS: Final[Mapping[str, str]] = MappingProxyType({"fleet": FLEET, "flower": FLOWER, "producer": PRODUCER})
"""The rules of each user by its name; docker-compose.yml has the same."""
