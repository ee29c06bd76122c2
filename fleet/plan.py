"""The processes of a fleet on one machine, their order, and how each is known to be ready."""

import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from fleet.embedded.postgres import EmbeddedPostgres
from fleet.embedded.process import server_process
from fleet.embedded.valkey import EmbeddedValkey
from fleet.installation import InstallationSecrets
from fleet.probes import answers, listens
from fleet.process_secrets import is_secret, without_others
from fleet.supervisor.process import ProcessSpec
from fleet.supervisor.warm_parent import WarmParent
from schemas.core.agents import SYSTEM_QUEUES

SERVERS, CORE, WATCHERS = range(3)
"""The stages: what holds the truth, what works, what wakes it and watches it."""

_UNBUFFERED: Final = {"PYTHONUNBUFFERED": "1"}
_IMPORTED: Final = (
    "anyio.streams.tls",
    "api.app",
    "api.server.process",
    "celery.app.amqp",
    "celery.apps.beat",
    "celery.apps.worker",
    "celery.bin.celery",
    "celery.bin.worker",
    "celery.concurrency.prefork",
    "celery.concurrency.solo",
    "celery.fixups.django",
    "celery.worker.strategy",
    "console.app",
    "fleet.simulator.server",
    "holidays.countries.china",
    "httpcore2",
    "kombu.transport.redis",
    "sqlalchemy.dialects.postgresql.psycopg",
    "truststore",
    "workers.agent",
    "workers.feeding",
    "workers.inspection",
    "workers.intake.process",
    "workers.metrics.exporter",
    "workers.process",
    "workers.request",
    "workers.tick",
    "workers.upkeep",
)
"""What the warm parent imports; a process imports what is missing here itself."""

_FIRST: Final = frozenset({"api", "console", "tick"})
"""Whom somebody waits for, and who rescues the others: where processors are scarce, everybody else stands back."""
_STANDS_BACK: Final = 10
"""The nice value of everybody else of ours; the servers, on which all depend, keep theirs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """The ports of all processes, on 127.0.0.1."""

    postgres: int
    valkey: int
    api: int
    simulator: int
    exporter: int
    flower: int
    console: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseUrls:
    """PostgreSQL as each role reaches it; where one role does everything they are all the same."""

    owner: str
    application: str
    retention: str
    reader: str

    @classmethod
    def of_environment(cls, environment: Mapping[str, str]) -> Self:
        """Those of a given server: `UNPEND_DATABASE_URL`, and one more for each role that is kept apart."""
        url = environment["UNPEND_DATABASE_URL"]

        def of(name: str) -> str:
            return environment.get(f"UNPEND_DATABASE_URL_{name}") or url

        return cls(owner=of("MIGRATE"), application=url, retention=of("RETENTION"), reader=of("READER"))

    def settings(self) -> dict[str, str]:
        """The settings of whoever prepares the database for all."""
        return {
            "database_url": self.application,
            "database_url_migrate": self.owner,
            "database_url_retention": self.retention,
            "database_url_reader": self.reader,
        }

    def given_to(self, process: str) -> dict[str, str]:
        """The variables with which a process reaches PostgreSQL: as the role of its work, and no other."""
        match process:
            case "upkeep":
                return {"UNPEND_DATABASE_URL": self.retention}
            case "exporter":
                return {"UNPEND_DATABASE_URL": self.reader}
            case "api":
                return {
                    "UNPEND_DATABASE_URL": self.application,
                    "UNPEND_DATABASE_URL_RETENTION": self.retention,
                }
            case _:
                return {"UNPEND_DATABASE_URL": self.application}


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerUrls:
    """The broker as each of its users reaches it; where one user does everything they are all the same."""

    fleet: str
    flower: str
    producer: str
    """For who sends orders in by the stream."""

    @classmethod
    def of_environment(cls, environment: Mapping[str, str]) -> Self:
        """Those of a given server: `UNPEND_BROKER_URL`, and one more for each user that is kept apart."""
        url = environment["UNPEND_BROKER_URL"]
        return cls(
            fleet=url,
            flower=environment.get("UNPEND_BROKER_URL_FLOWER") or url,
            producer=environment.get("UNPEND_PRODUCER_URL") or url,
        )

    def given_to(self, process: str) -> dict[str, str]:
        """The variable with which a process reaches the broker."""
        return {"UNPEND_BROKER_URL": self.flower if process == "flower" else self.fleet}


@dataclass(frozen=True, slots=True, kw_only=True)
class Addresses:
    """The addresses of all servers and processes."""

    database: DatabaseUrls
    broker: BrokerUrls
    api: str
    channel: str
    metrics: str
    flower: str
    console: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetPlan:
    """A fleet to be started."""

    data_dir: Path
    ports: Ports
    addresses: Addresses
    kept: InstallationSecrets
    extra: Mapping[str, str]

    def servers(self, postgres: EmbeddedPostgres, valkey: EmbeddedValkey) -> list[ProcessSpec]:
        """The embedded servers."""
        ports = self.ports
        return [
            server_process("postgres", postgres, ports.postgres, self._log("postgres"), stage=SERVERS),
            server_process("valkey", valkey, ports.valkey, self._log("valkey"), stage=SERVERS),
        ]

    def processes(self, queues: Sequence[str]) -> list[ProcessSpec]:
        """All processes of ours, in the order of the stages."""
        ports, state = self.ports, self.data_dir / "simulator.db"
        return [
            self._python(
                "simulator",
                CORE,
                ["fleet.simulator", *("--port", str(ports.simulator)), *("--state", str(state))],
                answers(f"{self.addresses.channel}/health"),
            ),
            self._python("api", CORE, ["fleet.api_process"], answers(f"{self.addresses.api}/health/live")),
            *(self._worker(agent, CORE, f"worker-{agent}") for agent in queues),
            *(self._worker(queue, CORE, queue) for queue in SYSTEM_QUEUES),
            self._worker("intake", CORE, "intake"),
            self._python(
                "exporter",
                CORE,
                ["workers", "exporter"],
                answers(f"http://127.0.0.1:{ports.exporter}/health"),
            ),
            self._worker("beat", WATCHERS, "beat"),
            self._python("flower", WATCHERS, ["workers", "flower"], listens(ports.flower)),
            self._python(
                "console", WATCHERS, ["fleet.console_process"], answers(f"{self.addresses.console}/health")
            ),
        ]

    def environment_of(self, name: str) -> dict[str, str]:
        """The environment of the process of this name: the secrets that it needs, and no others."""
        # A prefork worker told to stop ends what it has begun within its soft shutdown (Celery reads this name).
        soft = {"REMAP_SIGTERM": "SIGQUIT"} if name.startswith("worker-") else {}
        given = self.addresses.database.given_to(name) | self.addresses.broker.given_to(name)
        return without_others(name, self.environment() | given | soft)

    @staticmethod
    def warm_parent() -> WarmParent:
        """What has imported all that these processes need, and knows no secret."""
        given = {name: value for name, value in os.environ.items() if not name.startswith("UNPEND_")}
        return WarmParent(
            _IMPORTED, {name: value for name, value in given.items() if not is_secret(name)} | _UNBUFFERED
        )

    def environment(self) -> dict[str, str]:
        """The environment of our processes; secrets are passed here and never as arguments."""
        kept, ports = self.kept, self.ports
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("UNPEND_")}
        return inherited | {
            **_UNBUFFERED,
            "UNPEND_DATABASE_URL": self.addresses.database.application,
            "UNPEND_BROKER_URL": self.addresses.broker.fleet,
            "UNPEND_CIPHER_KEY": kept.cipher_key,
            "UNPEND_CIPHER_KEYS_OLD": ",".join(kept.old_cipher_keys),
            "UNPEND_INDEX_KEY": kept.index_key,
            "UNPEND_INDEX_KEYS_OLD": ",".join(kept.old_index_keys),
            "UNPEND_CALLBACK_SECRET": kept.callback_secret,
            "UNPEND_CHANNEL_TOKEN": kept.channel_token,
            "UNPEND_CHANNEL_URL": self.addresses.channel,
            "UNPEND_CALLBACK_BASE_URL": self.addresses.api,
            "UNPEND_API_PORT": str(ports.api),
            "UNPEND_EXPORTER_PORT": str(ports.exporter),
            "UNPEND_FLOWER_PORT": str(ports.flower),
            "UNPEND_FLOWER_URL": self.addresses.flower,
            "UNPEND_CONSOLE_PORT": str(ports.console),
            # What a newcomer subscribes stands on this machine.
            "UNPEND_WEBHOOK_ALLOWED_NETWORKS": "127.0.0.0/8,::1/128",
            "FLOWER_BASIC_AUTH": f"operator:{kept.flower_password}",
            **self.extra,
        }

    def _worker(self, argument: str, stage: int, name: str) -> ProcessSpec:
        mark = self.data_dir / "ready" / name
        mark.parent.mkdir(mode=0o700, exist_ok=True)
        mark.unlink(missing_ok=True)
        return self._python(name, stage, ["workers", argument], mark.exists, {"UNPEND_READY_FILE": str(mark)})

    def _python(
        self,
        name: str,
        stage: int,
        arguments: list[str],
        ready: Callable[[], bool],
        further: Mapping[str, str] | None = None,
    ) -> ProcessSpec:
        return ProcessSpec(
            name=name,
            command=[sys.executable, "-m", *arguments],
            forked=True,
            environment=self.environment_of(name) | dict(further or {}),
            stage=stage,
            ready=ready,
            stop_signal=signal.SIGTERM,
            niceness=0 if name in _FIRST else _STANDS_BACK,
            log_file=self._log(name),
        )

    def _log(self, name: str) -> Path:
        (self.data_dir / "logs").mkdir(mode=0o700, exist_ok=True)
        return self.data_dir / "logs" / f"{name}.log"
