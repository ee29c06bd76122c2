"""A PgBouncer for tests: Debian's, in transaction mode, run by this test on a free port of 127.0.0.1."""

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psycopg
from sqlalchemy import make_url

from fleet.supervisor.ports import free_port
from tests.support.waiting import wait_until

PROGRAM: Final = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
ABSENT: Final = "pgbouncer is not installed (Debian: apt-get install pgbouncer); .ci/run installs it"
CONNECTIONS: Final = 3
"""Those to PostgreSQL, shared by everybody: fewer than one process of the fleet keeps."""


@dataclass(frozen=True, slots=True)
class PgBouncer:
    """A running pooler."""

    url: str
    """Where a database is reached through it."""
    process: "subprocess.Popen[bytes]"

    @classmethod
    def before(cls, database_url: str, folder: Path) -> "PgBouncer":
        """Start it before this database."""
        assert PROGRAM is not None, ABSENT
        server, port = make_url(database_url), free_port()
        folder.mkdir()
        (folder / "users").write_text(f'"{server.username}" "{server.password}"\n')
        (folder / "pgbouncer.ini").write_text(
            "[databases]\n"
            f"{server.database} = host=127.0.0.1 port={server.port} dbname={server.database}\n"
            "[pgbouncer]\n"
            f"listen_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\n"
            f"auth_type = scram-sha-256\nauth_file = {folder}/users\n"
            f"pool_mode = transaction\ndefault_pool_size = {CONNECTIONS}\n"
            "ignore_startup_parameters = options,extra_float_digits\n"
        )
        # It refuses to run as root.
        account = ["-u", "nobody"] if os.geteuid() == 0 else []
        for path in (folder, *folder.iterdir()):
            path.chmod(0o755)
        process = subprocess.Popen(
            [PROGRAM, "-q", *account, str(folder / "pgbouncer.ini")],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        pooled = server.set(port=port)
        begun = cls(pooled.render_as_string(hide_password=False), process)
        wait_until(
            lambda: begun._answers(pooled.set(drivername="postgresql").render_as_string(hide_password=False))
        )
        return begun

    def stop(self) -> None:
        """End it."""
        self.process.terminate()
        self.process.wait(60)

    def _answers(self, url: str) -> bool:
        assert self.process.poll() is None, "pgbouncer has ended"
        try:
            psycopg.connect(url, connect_timeout=5).close()
        except psycopg.OperationalError:
            return False
        return True
