"""The unprivileged account that runs the servers when we are root.

PostgreSQL refuses to run as root. As an ordinary user no account is needed: everything runs as that user.
"""

import os
import pwd
from dataclasses import dataclass
from typing import Final

from fleet.embedded.errors import INSTEAD, EmbeddedServerError

DEFAULT_ACCOUNT: Final = "nobody"


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A user that processes run as, with its primary group only."""

    name: str
    uid: int
    gid: int


def server_account(name: str = DEFAULT_ACCOUNT) -> Account | None:
    """Return the account to run servers as; None when we are not root and need none.

    Raises:
        EmbeddedServerError: We are root, and there is no such account or it is root itself.
    """
    if os.geteuid() != 0:
        return None
    try:
        entry = pwd.getpwnam(name)
    except KeyError:
        raise EmbeddedServerError(
            f"PostgreSQL does not run as root, and this machine has no account '{name}' to run it as. "
            f"Create one (useradd --system {name}), start as an ordinary user, {INSTEAD}."
        ) from None
    if entry.pw_uid == 0:
        raise EmbeddedServerError(
            f"PostgreSQL does not run as root, and the account '{name}' is root. "
            f"Name another account, start as an ordinary user, {INSTEAD}."
        )
    return Account(name=entry.pw_name, uid=entry.pw_uid, gid=entry.pw_gid)
