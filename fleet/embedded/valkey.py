"""The embedded Valkey: the broker, one private server on 127.0.0.1 with a password.

It writes an append-only file, flushed every second. What a crash of the machine may lose is a second of
messages, and those are found again from PostgreSQL, the queue of record.
"""

import hashlib
import signal
from pathlib import Path
from typing import Final

from redis import Redis
from redis.exceptions import RedisError

from fleet.embedded.account import DEFAULT_ACCOUNT, Account
from fleet.embedded.binaries import VALKEY
from fleet.embedded.broker_users import USERS
from fleet.embedded.home import server_home
from fleet.embedded.orphan import VALKEY_TRACE, stop_orphan
from fleet.embedded.private_file import kept_password, write_private_file

_PROBE_SECONDS: Final = 2

_SETTINGS: Final = """\
# Written at every start of the fleet.
bind 127.0.0.1
protected-mode yes
requirepass {password}
{users}
daemonize no
dir {folder}
pidfile {pid_file}
logfile ""
loglevel notice
set-proc-title no
save ""
appendonly yes
appendfsync everysec
maxmemory-policy noeviction
# An entry of hundreds of megabytes would end every process that reads it: refused to the producer that sends it.
proto-max-bulk-len 4mb
client-query-buffer-limit 32mb
"""


class EmbeddedValkey:
    """The Valkey of one data folder.

    `prepare()` first; then `command()` may be run by the supervisor as `account` with `environment`.
    """

    stop_signal: Final = signal.SIGTERM

    def __init__(self, data_dir: Path, *, account_name: str = DEFAULT_ACCOUNT) -> None:
        """Describe the server; nothing is touched yet.

        Args:
            data_dir: The fleet's data folder; may not exist yet.
            account_name: Runs the server when we are root.

        Raises:
            EmbeddedServerError: We are root and there is no such account.
        """
        self._home = server_home(data_dir, account_name=account_name)
        self._programs: Path | None = None

    @property
    def account(self) -> Account | None:
        """The account to run `command()` as; None: as ourselves."""
        return self._home.account

    @property
    def environment(self) -> dict[str, str]:
        """The complete environment of `command()`."""
        return self._home.environment

    @property
    def folder(self) -> Path:
        """The folder of the server's data and configuration."""
        return self._home.folder / VALKEY_TRACE.folder

    def prepare(self) -> None:
        """Make the folder, write the configuration, and stop a server left over from an earlier run.

        Two servers would write one append-only file, for Valkey takes no lock on it. The caller holds the
        lock of the data folder.

        Raises:
            EmbeddedServerError: The folder cannot be made, or the leftover does not stop.
        """
        self._home.prepare()
        self._home.make_server_folder(VALKEY_TRACE.folder)
        stop_orphan(self._home.folder, VALKEY_TRACE)
        self._programs = self._home.programs(VALKEY, VALKEY_TRACE.program)
        settings = _SETTINGS.format(
            password=self._password,
            users="\n".join(f"user {name} on #{self._digest(name)} {rules}" for name, rules in USERS.items()),
            folder=_quoted(self.folder),
            pid_file=_quoted(self.folder / VALKEY_TRACE.pid_file),
        )
        write_private_file(self._settings_file, settings, owner=self.account)

    def command(self, port: int) -> list[str]:
        """Return the command that runs the server in the foreground on 127.0.0.1:`port`, without secrets."""
        if self._programs is None:
            raise RuntimeError("EmbeddedValkey.prepare() comes before command()")
        return [str(self._programs / VALKEY_TRACE.program), str(self._settings_file), "--port", str(port)]

    def operator_url(self, port: int) -> str:
        """Return the broker's URL for who may do everything; it holds the password, which no process is given."""
        return f"redis://:{self._password}@127.0.0.1:{port}/0"

    def url_of(self, user: str, port: int) -> str:
        """Return the broker's URL for one of the `USERS`; it holds the user's password."""
        return f"redis://{user}:{self._password_of(user)}@127.0.0.1:{port}/0"

    def ready(self, port: int) -> bool:
        """Return whether our server answers on this port and has loaded its data; takes 2 s at most."""
        probe = Redis.from_url(
            self.operator_url(port),
            socket_timeout=_PROBE_SECONDS,
            socket_connect_timeout=_PROBE_SECONDS,
        )
        try:
            return bool(probe.ping())
        except RedisError:
            return False
        finally:
            probe.close()

    def remove(self) -> None:
        """Delete what root's servers keep outside the data folder; the server must not be running."""
        self._home.remove()

    @property
    def _settings_file(self) -> Path:
        return self.folder / "valkey.conf"

    @property
    def _password(self) -> str:
        return kept_password(self._home.data_dir / "valkey.password")

    def _password_of(self, user: str) -> str:
        return kept_password(self._home.data_dir / f"valkey.{user}.password")

    def _digest(self, user: str) -> str:
        return hashlib.sha256(self._password_of(user).encode()).hexdigest()


def _quoted(path: Path) -> str:
    """Return the path as a word of Valkey's configuration file, where it may hold spaces and quotes."""
    return '"' + str(path).replace("\\", "\\\\").replace('"', '\\"') + '"'
