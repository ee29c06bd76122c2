"""The users of the broker, and what each may do, in the words of the server's configuration.

The default user, who may do everything, is the operator's: no process of the fleet is given its password.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

FLEET: Final = "~* &* +@all -@admin -@dangerous -function -script|flush -script|kill +info"
"""Who works: every key and channel, but no setting, no other user, no command that empties or ends the server."""

PRODUCER: Final = (
    "resetkeys ~task.created resetchannels -@all +xadd +ping +hello +auth +client|setname +client|setinfo"
)
"""Who sends orders in: adding to the stream, and what a client says when it connects."""

USERS: Final[Mapping[str, str]] = MappingProxyType({"fleet": FLEET, "producer": PRODUCER})
"""The rules of each user by its name; docker-compose.yml has the same."""
