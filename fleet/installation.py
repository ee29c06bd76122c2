"""An installation on this machine: its data folder, its secrets, and the addresses of its fleet."""

import json
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from fleet.embedded.private_file import write_private_file
from fleet.supervisor.run_file import RunFile
from runtime.api_key import new_key

if TYPE_CHECKING:
    from runtime.settings import Settings

DEFAULT_FOLDER: Final = ".unpend"


class FleetNotRunning(Exception):
    """No fleet runs in this data folder; the message says how to start one."""

    def __init__(self, data_dir: Path) -> None:
        super().__init__(
            f"no fleet is running in {data_dir}; start one with `make run`, "
            "or name its folder with --data-dir or UNPEND_DATA_DIR"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class InstallationSecrets:
    """The secrets of an installation; generated once, stored in a file only its owner can read."""

    cipher_key: str
    index_key: str
    callback_secret: str
    channel_token: str
    flower_password: str
    keys: dict[str, str]
    old_cipher_keys: tuple[str, ...] = ()
    """Former ones, read with until nothing stored names them."""
    next_cipher_key: str | None = None
    """The one that the next start of the fleet makes the current one."""
    old_index_keys: tuple[str, ...] = ()
    """Former ones, looked up by until nothing stored needs them."""
    next_index_key: str | None = None
    """The one that the next start of the fleet makes the current one."""
    database_passwords: Mapping[str, str] = field(default_factory=dict)
    """Of the roles of the embedded PostgreSQL, by name; its owner's is in a file of its own."""
    logins: Mapping[str, str] = field(default_factory=dict)
    """Passwords of the people that an embedded fleet is tried with, by login."""


class Installation:
    """A data folder and its content."""

    def __init__(self, data_dir: Path) -> None:
        """Name the folder; nothing is touched yet."""
        self.data_dir = data_dir.resolve()
        self.run_file = RunFile(self.data_dir / "run.json")

    def secrets(self) -> InstallationSecrets:
        """The installation's secrets, generated at the first call."""
        path = self.data_dir / "secrets.json"
        if path.exists():
            kept = json.loads(path.read_text(encoding="utf-8"))
            if "index_key" not in kept:
                from runtime.blind_index import derived_key

                # Made before there was one: what was derived so far stays, whatever becomes of the cipher key.
                kept["index_key"] = derived_key(kept["cipher_key"])
                write_private_file(path, json.dumps(kept, indent=2))
            former = {name: tuple(kept.get(name, ())) for name in ("old_cipher_keys", "old_index_keys")}
            return InstallationSecrets(**kept | former)
        made = InstallationSecrets(
            cipher_key=_new_cipher_key(),
            index_key=_new_cipher_key(),
            callback_secret=secrets.token_urlsafe(32),
            channel_token=secrets.token_urlsafe(32),
            flower_password=secrets.token_urlsafe(12),
            keys={},
        )
        write_private_file(path, json.dumps(made_as_document(made), indent=2))
        return made

    def plan_key_change(self) -> None:
        """Generate a cipher key for the next start; a running fleet and its commands keep theirs."""
        kept = self.secrets()
        if kept.next_cipher_key is None:
            self._keep(replace(kept, next_cipher_key=_new_cipher_key()))

    def plan_index_key_change(self) -> None:
        """Generate an index key for the next start; a running fleet and its commands keep theirs."""
        kept = self.secrets()
        if kept.next_index_key is None:
            self._keep(replace(kept, next_index_key=_new_cipher_key()))

    def give_keys(self, owners: Iterable[str]) -> InstallationSecrets:
        """The secrets with an API key for each of these owners; one that has none yet is given one."""
        kept = self.secrets()
        made = {owner: new_key() for owner in owners if owner not in kept.keys}
        if made:
            kept = replace(kept, keys={**kept.keys, **made})
            self._keep(kept)
        return kept

    def give_passwords(self, roles: Iterable[str]) -> InstallationSecrets:
        """The secrets with a password for each of these roles of the database; one that has none yet is given one."""
        kept = self.secrets()
        made = {role: secrets.token_hex(24) for role in roles if role not in kept.database_passwords}
        if made:
            kept = replace(kept, database_passwords={**kept.database_passwords, **made})
            self._keep(kept)
        return kept

    def give_logins(self, logins: Iterable[str]) -> InstallationSecrets:
        """The secrets with a password for each of these people; one that has none yet is given one."""
        kept = self.secrets()
        made = {login: secrets.token_urlsafe(12) for login in logins if login not in kept.logins}
        if made:
            kept = replace(kept, logins={**kept.logins, **made})
            self._keep(kept)
        return kept

    def take_up_next_key(self) -> InstallationSecrets:
        """Return the secrets for a start: planned keys become the current ones, the former stay for what is stored."""
        kept = taken = self.secrets()
        if kept.next_cipher_key is not None:
            old = (kept.cipher_key, *kept.old_cipher_keys)
            taken = replace(taken, cipher_key=kept.next_cipher_key, old_cipher_keys=old, next_cipher_key=None)
        if kept.next_index_key is not None:
            old = (kept.index_key, *kept.old_index_keys)
            taken = replace(taken, index_key=kept.next_index_key, old_index_keys=old, next_index_key=None)
        if taken is not kept:
            self._keep(taken)
        return taken

    def drop_old_keys(self) -> int:
        """Delete the former cipher keys, which no stored value may use any more; return their number."""
        kept = self.secrets()
        self._keep(replace(kept, old_cipher_keys=()))
        return len(kept.old_cipher_keys)

    def drop_old_index_keys(self) -> int:
        """Delete the former index keys, which nothing stored may need any more; return their number."""
        kept = self.secrets()
        self._keep(replace(kept, old_index_keys=()))
        return len(kept.old_index_keys)

    def _keep(self, kept: InstallationSecrets) -> None:
        write_private_file(self.data_dir / "secrets.json", json.dumps(made_as_document(kept), indent=2))

    def last_ports(self) -> dict[str, int]:
        """The ports of the last run, by name; empty before the first run."""
        try:
            kept = json.loads(self._ports_file.read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError):
            return {}
        if not isinstance(kept, dict):
            return {}
        return {name: port for name, port in kept.items() if isinstance(port, int)}

    def keep_ports(self, ports: Mapping[str, int]) -> None:
        """Store the ports for the next run."""
        write_private_file(self._ports_file, json.dumps(ports, indent=2))

    @property
    def _ports_file(self) -> Path:
        return self.data_dir / "ports.json"

    def run_document(self) -> dict[str, Any]:
        """Return the content of the running fleet's run file.

        Raises:
            FleetNotRunning: there is none.
        """
        document = self.run_file.read()
        if not document or not document.get("ready"):
            raise FleetNotRunning(self.data_dir)
        return document

    def settings(self) -> "Settings":
        """Return the settings for a command that uses the running fleet.

        Raises:
            FleetNotRunning: there is none.
        """
        from runtime.settings import PROJECT, Settings

        document, kept = self.run_document(), self.secrets()
        return Settings.model_validate(
            {
                "database_url": document["database_url"],
                "database_url_retention": document.get("database_url_retention"),
                "broker_url": document["broker_url"],
                "sentinel_master": document.get("sentinel_master"),
                "limits_url": document.get("limits_url"),
                "cipher_key": kept.cipher_key,
                "cipher_keys_old": ",".join(kept.old_cipher_keys),
                "index_key": kept.index_key,
                "index_keys_old": ",".join(kept.old_index_keys),
                "callback_secret": kept.callback_secret,
                "channel_token": kept.channel_token,
                "channel_url": document["channel"],
                "contact_policy": document.get("contact_policy", "standard"),
                "config_folder": document.get("config_folder", PROJECT / "config"),
                "callback_base_url": document["api"],
            }
        )


def _new_cipher_key() -> str:
    from runtime.cipher import Cipher

    return Cipher.new_key()


def made_as_document(made: InstallationSecrets) -> dict[str, Any]:
    """Return the secrets as the JSON of their file."""
    return {
        "cipher_key": made.cipher_key,
        "index_key": made.index_key,
        "callback_secret": made.callback_secret,
        "channel_token": made.channel_token,
        "flower_password": made.flower_password,
        "keys": made.keys,
        "old_cipher_keys": list(made.old_cipher_keys),
        "next_cipher_key": made.next_cipher_key,
        "old_index_keys": list(made.old_index_keys),
        "next_index_key": made.next_index_key,
        "database_passwords": dict(made.database_passwords),
        "logins": dict(made.logins),
    }
