"""The embedded PostgreSQL: one private cluster, reached over 127.0.0.1 with a password.

It has no Unix socket: nothing of ours uses one, and its path is limited to 107 bytes, which a data folder
exceeds easily. It is run in the foreground by our own supervisor; stop it with SIGINT, which drops the
clients that SIGTERM would wait for.
"""

import shutil
import signal
import subprocess
import tempfile
from pathlib import Path
from typing import Final

import psycopg

from fleet.embedded.account import DEFAULT_ACCOUNT, Account
from fleet.embedded.binaries import POSTGRES
from fleet.embedded.errors import EmbeddedServerError
from fleet.embedded.home import server_home
from fleet.embedded.orphan import POSTGRES_TRACE, stop_orphan
from fleet.embedded.private_file import kept_password, write_private_file

USER: Final = "unpend"
DATABASE: Final = "unpend"
_PROBE_SECONDS: Final = 2

_SETTINGS: Final = """\
# Written at every start of the fleet; changes belong into postgresql.auto.conf (ALTER SYSTEM).
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
max_connections = 100
password_encryption = 'scram-sha-256'

shared_buffers = '128MB'
random_page_cost = 1.1
jit = off
# A question to all months of history locks each, with its indexes.
max_locks_per_transaction = 256

# Many small commits: no replica reads this WAL, and checkpoints are rare: each makes the next writes dear.
wal_level = minimal
max_wal_senders = 0
wal_buffers = '16MB'
max_wal_size = '1GB'
min_wal_size = '128MB'
checkpoint_timeout = '15min'
checkpoint_completion_target = 0.9

# Queue rows change all the time; indexes stay small only if the dead ones go at once.
autovacuum_naptime = '10s'
autovacuum_vacuum_scale_factor = 0.05
autovacuum_analyze_scale_factor = 0.05

timezone = 'UTC'
log_timezone = 'UTC'
lc_messages = 'C'
logging_collector = off
log_destination = 'stderr'
log_min_messages = warning
log_line_prefix = '%m [%p] '
# Statements and the details of errors hold the values of rows, phone numbers among them.
log_min_error_statement = panic
log_error_verbosity = terse
"""
_DURABLE: Final = "fsync = on\nsynchronous_commit = on\nfull_page_writes = on\n"
# With synchronous_commit off, even killing the process would lose commits, and tests kill it.
_FAST_AND_UNSAFE: Final = (
    "fsync = off\nsynchronous_commit = on\nfull_page_writes = off\n"
    # The databases of tests live for seconds, and there are many: a worker would start for each in turn.
    "autovacuum = off\n"
)


class EmbeddedPostgres:
    """The PostgreSQL of one data folder.

    `prepare()` first; then `command()` may be run by the supervisor as `account` with `environment`.
    """

    stop_signal: Final = signal.SIGINT

    def __init__(
        self, data_dir: Path, *, fast_and_unsafe: bool = False, account_name: str = DEFAULT_ACCOUNT
    ) -> None:
        """Describe the server; nothing is touched yet.

        Args:
            data_dir: The fleet's data folder; may not exist yet.
            fast_and_unsafe: Without fsync, for tests only: a crash of the machine, though not of the
                server, ruins the data.
            account_name: Runs the server when we are root.

        Raises:
            EmbeddedServerError: We are root and there is no such account.
        """
        self._home = server_home(data_dir, account_name=account_name)
        self._fast_and_unsafe = fast_and_unsafe
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
        """The cluster's folder (PGDATA)."""
        return self._home.folder / POSTGRES_TRACE.folder

    def prepare(self) -> None:
        """Create the cluster if missing, write its settings, stop a server left from an earlier run.

        The caller holds the lock of the data folder.

        Raises:
            EmbeddedServerError: It cannot be made, or it is there and its password is not.
        """
        self._home.prepare()
        stop_orphan(self._home.folder, POSTGRES_TRACE)
        self._programs = self._home.programs(POSTGRES, "initdb")
        exists = (self.folder / "PG_VERSION").exists()
        if exists and not self._password_file.exists():
            raise EmbeddedServerError(
                f"The database in {self.folder} is there, but the file with its password, "
                f"{self._password_file}, is not. Bring the file back, or delete {self.folder} to start over."
            )
        if not exists:
            self._make_cluster()
        durability = _FAST_AND_UNSAFE if self._fast_and_unsafe else _DURABLE
        write_private_file(self.folder / "postgresql.conf", _SETTINGS + durability, owner=self.account)

    def command(self, port: int) -> list[str]:
        """Return the command that runs the server in the foreground on 127.0.0.1:`port`."""
        return [str(self._prepared() / "postgres"), "-D", str(self.folder), "-p", str(port)]

    def database_url(self, port: int) -> str:
        """Return the SQLAlchemy URL of the fleet's database as its owner; it holds the password."""
        return self.url_of(USER, self._password, port)

    def ready(self, port: int) -> bool:
        """Return whether our server answers a query on this port now; takes 2 s at most."""
        try:
            with self._connect(port) as connection:
                return connection.execute("SELECT 1").fetchone() == (1,)
        except psycopg.OperationalError:
            return False

    def ensure_database(self, port: int) -> None:
        """Create the fleet's database in the running server unless it exists."""
        with self._connect(port) as connection:
            found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone()
            if found is None:
                connection.execute(
                    f"CREATE DATABASE {DATABASE} TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C'"
                )

    def url_of(self, role: str, password: str, port: int) -> str:
        """The SQLAlchemy URL of the fleet's database for a role."""
        return f"postgresql+psycopg://{role}:{password}@127.0.0.1:{port}/{DATABASE}"

    def remove(self) -> None:
        """Delete what root's servers keep outside the data folder; the server must not be running."""
        self._home.remove()

    @property
    def _password_file(self) -> Path:
        return self._home.data_dir / "postgres.password"

    @property
    def _password(self) -> str:
        return kept_password(self._password_file)

    def _prepared(self) -> Path:
        if self._programs is None:
            raise RuntimeError("EmbeddedPostgres.prepare() comes before command()")
        return self._programs

    def _connect(self, port: int) -> psycopg.Connection:
        return psycopg.connect(
            host="127.0.0.1",
            port=port,
            user=USER,
            password=self._password,
            dbname="postgres",
            connect_timeout=_PROBE_SECONDS,
            options=f"-c statement_timeout={_PROBE_SECONDS * 1000}",
            application_name="unpend supervisor",
            autocommit=True,
        )

    def _make_cluster(self) -> None:
        """Make the cluster beside its place and move it there complete: an interruption leaves no half."""
        unfinished = self._home.make_server_folder("postgres.unfinished")
        shutil.rmtree(unfinished)
        self._home.make_server_folder(unfinished.name)
        with tempfile.TemporaryDirectory(prefix=".initdb-", dir=self._home.folder) as short_lived:
            if self.account is not None:
                Path(short_lived).chmod(0o711)
            password_file = Path(short_lived, "password")
            write_private_file(password_file, self._password + "\n", owner=self.account)
            self._initdb(unfinished, password_file)
        if self.folder.exists():
            raise EmbeddedServerError(
                f"{self.folder} exists and is no database of PostgreSQL. "
                "Move it away or choose another --data-dir."
            )
        unfinished.rename(self.folder)

    def _initdb(self, folder: Path, password_file: Path) -> None:
        command = [
            str(self._prepared() / "initdb"),
            f"--pgdata={folder}",
            f"--username={USER}",
            f"--pwfile={password_file}",
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            "--locale=C",
            "--no-sync",
            "--no-instructions",
        ]
        try:
            done = self._home.run(command, seconds=120)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise EmbeddedServerError(
                f"PostgreSQL could not make its cluster in {folder}: {error}"
            ) from error
        if done.returncode != 0:
            last = "\n".join((done.stdout + done.stderr).strip().splitlines()[-8:])
            raise EmbeddedServerError(
                f"PostgreSQL could not make its cluster in {folder} (initdb ended with {done.returncode}). "
                f"Its last lines:\n{last}"
            )
