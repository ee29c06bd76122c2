"""Files that only their owner may read."""

import os
import secrets
import tempfile
from pathlib import Path

from fleet.embedded.account import Account
from fleet.embedded.errors import EmbeddedServerError


def write_private_file(path: Path, text: str, *, owner: Account | None = None) -> None:
    """Replace the file by one of mode 0600, atomically for readers.

    Args:
        path: The file; its folder must exist.
        text: Written as UTF-8.
        owner: Given the file, so that a server running as this account can read it; needs root.
    """
    # mkstemp makes the file 0600 from its first moment.
    descriptor, unfinished = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    written = False
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
            if owner is not None:
                os.fchown(file.fileno(), owner.uid, owner.gid)
        Path(unfinished).replace(path)
        written = True
    finally:
        if not written:
            Path(unfinished).unlink(missing_ok=True)


def kept_password(path: Path) -> str:
    """Return the password in `path`; the first call generates one of 192 random bits and stores it.

    It is hexadecimal, so that it needs no quoting in a URL or a configuration file.

    Raises:
        EmbeddedServerError: Another user's fleet made the file.
    """
    try:
        password = path.read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        password = ""
    except PermissionError:
        raise EmbeddedServerError(
            f"{path} belongs to another user, who ran a fleet in this folder. Start as that user or choose "
            "another --data-dir."
        ) from None
    if password:
        return password
    password = secrets.token_hex(24)
    write_private_file(path, password + "\n")
    return password
