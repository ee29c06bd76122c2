"""A master, its replica, and three sentinels that watch them: the broker of a test that loses its master."""

import shutil
import subprocess
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final, Self

import redis

from fleet.embedded.binaries import valkey_server
from fleet.supervisor.ports import free_port
from tests.support.fleet.broker import Broker
from tests.support.waiting import wait_until

MASTER: Final = "fleet-master"
_SENTINELS: Final = 3
_QUORUM: Final = 2
_DOWN_AFTER_MS: Final = 1500
_SETTINGS: Final = """\
bind 127.0.0.1
port {port}
dir "{folder}"
sentinel monitor {name} 127.0.0.1 {master} {quorum}
sentinel auth-pass {name} {password}
sentinel down-after-milliseconds {name} {down_after}
sentinel failover-timeout {name} 5000
"""


class WatchedBroker:
    """Two servers with the same users, of which the sentinels call one the master."""

    def __init__(self, folder: Path) -> None:
        """Name its folder; nothing is started yet."""
        self._folder = folder
        self._stack = ExitStack()
        self._ports = [free_port() for _ in range(_SENTINELS)]
        self._servers: list[Broker] = []

    def __enter__(self) -> Self:
        first, second = self._folder / "first", self._folder / "second"
        self._servers.append(self._stack.enter_context(Broker(first)))
        second.mkdir()
        for password in first.glob("*.password"):
            shutil.copy(password, second)
        self._servers.append(self._stack.enter_context(Broker(second)))
        master, replica = self._servers
        for server in self._servers:
            with server.operator() as client:
                client.config_set("masterauth", server.password)
        with replica.operator() as client:
            client.replicaof("127.0.0.1", master.port)
        for port in self._ports:
            self._stack.callback(self._watch(port, master))
        wait_until(self._is_watched, "three sentinels know the master, its replica and one another")
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    @property
    def url(self) -> str:
        """Where the fleet finds it: by all of its sentinels."""
        credentials = self._servers[0].url.partition("://")[2].partition("@")[0]
        return ";".join(f"sentinel://{credentials}@127.0.0.1:{port}/0" for port in self._ports)

    def lose_master(self) -> None:
        """Kill the master; return when the sentinels call the other one so."""
        lost, kept = self._servers
        lost.kill()
        wait_until(lambda: self._master_port() == kept.port, "another master is called so", explain=self._log)

    def master(self) -> "redis.Redis":
        """A client of who is the master now, for who may do everything."""
        port = self._master_port()
        return next(server for server in self._servers if server.port == port).operator()

    def _watch(self, port: int, master: Broker) -> Any:
        folder = self._folder / f"sentinel-{port}"
        folder.mkdir()
        settings = folder / "sentinel.conf"
        settings.write_text(
            _SETTINGS.format(
                port=port,
                folder=folder,
                name=MASTER,
                master=master.port,
                quorum=_QUORUM,
                password=master.password,
                down_after=_DOWN_AFTER_MS,
            )
        )
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(
                [str(valkey_server()), str(settings), "--sentinel"], stdout=log, stderr=log
            )

        def end() -> None:
            process.kill()
            process.wait()

        return end

    def _asked(self, port: int) -> dict[str, Any]:
        """What this sentinel says of the master; nothing while it does not answer."""
        try:
            with redis.Redis(port=port, decode_responses=True) as sentinel:
                found: Any = sentinel.sentinel_master(MASTER)
        except redis.RedisError:
            return {}
        return dict(found)

    def _is_watched(self) -> bool:
        return all(
            known.get("num-slaves") == 1
            and known.get("num-other-sentinels") == _SENTINELS - 1
            and known.get("flags") == "master"
            for known in map(self._asked, self._ports)
        )

    def _master_port(self) -> int:
        return int(self._asked(self._ports[0]).get("port", 0))

    def _log(self) -> str:
        return "\n".join(log.read_text()[-1500:] for log in self._folder.glob("sentinel-*/log"))
