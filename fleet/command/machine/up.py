"""`unpend up`: the whole fleet on this machine, until Ctrl-C."""

import os
import threading
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

from engine.catalogue import register
from engine.definitions.known_secrets import SecretUse
from fleet.command.machine.screen import Screen
from fleet.command.machine.terminal import Terminal
from fleet.demonstration import FIRST_MORNING, Demonstration
from fleet.embedded.broker_users import USERS
from fleet.embedded.postgres import EmbeddedPostgres
from fleet.embedded.valkey import EmbeddedValkey
from fleet.installation import Installation, InstallationSecrets
from fleet.joining import taken_over
from fleet.logins import PEOPLE, add_people
from fleet.plan import CORE, Addresses, BrokerUrls, DatabaseUrls, FleetPlan, Ports
from fleet.supervisor.ports import same_port
from fleet.supervisor.process import ProcessSpec, RunningProcess
from fleet.supervisor.run_file import DataDirLock
from fleet.supervisor.stop_request import StopRequest
from fleet.supervisor.supervisor import Supervisor
from fleet.supervisor.warm_parent import WarmParent
from runtime.cipher import Cipher
from runtime.settings import PROJECT, Settings
from schemas.access.scopes import owners_of
from schemas.core.agents import Agents, read_agents
from storage.access.keys import Keys
from storage.core.database import Database
from storage.core.migrate import migrate
from storage.engine.clock import BusinessClock
from storage.migrations.roles import APPLICATION, READER, RETENTION, ROLES, prepare_roles
from storage.orders.orders import Orders
from storage.outbound.feed import Feed
from tasks.orders.rules.context import scripts_of
from tasks.orders.upkeep.script_versions import register_scripts
from tasks.registry import PRODUCTS
from tools.http_requests.rules import HttpRules
from tools.policies.folder import Policies
from workers.app import make_app
from workers.process import Process, read_workflows

SAMPLES = tuple(PROJECT / "config" / "samples" / f"{name}.jsonl" for name in ("orders", "orders_of_today"))


@dataclass(frozen=True, slots=True, kw_only=True)
class UpOptions:
    """The options of `unpend up`."""

    data_dir: Path
    port: int | None = None
    time_scale: float = 1.0
    time_jump: bool = False
    samples: Sequence[Path] = SAMPLES
    quiet: bool = False


def up(options: UpOptions, warm: WarmParent) -> None:
    """Start everything, show the orders' progress, run until told to stop, stop everything in order.

    Args:
        options: What is asked for.
        warm: Forks the processes; the caller may have started it before this module was loaded.

    Raises:
        DataDirInUseError: a fleet runs in this data folder.
        FleetStartError: a process did not become ready; everything was stopped again.
        EmbeddedServerError: an embedded server could not be prepared.
        PolicyFileError: a file of `config/policies/` cannot be used; nothing was started.
    """
    installation = Installation(options.data_dir)
    terminal = Terminal()
    with StopRequest(further=terminal.has_lost_its_reader) as request, DataDirLock(installation.data_dir):
        try:
            _run(installation, options, Screen(terminal, quiet=options.quiet), request, warm)
        finally:
            installation.run_file.remove()


def _run(
    installation: Installation, options: UpOptions, screen: Screen, request: StopRequest, warm: WarmParent
) -> None:
    agents = read_agents(Path(os.environ.get("UNPEND_CONFIG_FOLDER", PROJECT / "config")))
    installation.take_up_next_key()
    kept = installation.give_keys(owners_of(agents))
    ports = _ports(installation, options.port)
    specs, plan, prepare = _planned(installation, kept, ports, options, agents)
    settings = _settings(plan)
    Policies.read(settings.config_folder, settings.contact_policy)
    document = _document(plan, settings)
    specs = [replace(spec, ready_timeout=settings.ready_seconds) for spec in specs]

    def tell(processes: tuple[RunningProcess, ...]) -> None:
        listed = [{"name": p.name, "pid": p.pid, "state": p.state, "restarts": p.restarts} for p in processes]
        installation.run_file.write({**document, "processes": listed})

    supervisor = Supervisor(specs, on_change=tell, before_stage={CORE: prepare}, warm=warm)
    demonstration = _demonstration(settings, options, screen)
    thread = threading.Thread(
        target=demonstration.run, args=(options.samples,), name="demonstration", daemon=True
    )
    screen.starting(installation.data_dir)
    is_ready = supervisor.start(request.happened)
    try:
        if is_ready:
            screen.ready(document)
            thread.start()
            supervisor.watch(request.happened)
    finally:
        screen.stopping()
        demonstration.stopped.set()
        supervisor.stop()
    if is_ready:
        thread.join(timeout=2.0)
    screen.stopped()


def _planned(
    installation: Installation, kept: InstallationSecrets, ports: Ports, options: UpOptions, agents: Agents
) -> tuple[list[ProcessSpec], FleetPlan, Callable[[], None]]:
    """The processes to start, and what prepares the database once the servers answer."""
    outside = os.environ.get("UNPEND_DATABASE_URL"), os.environ.get("UNPEND_BROKER_URL")
    servers: list[ProcessSpec] = []
    ensure: Callable[[], None] = lambda: None  # noqa: E731 - nothing to ensure on servers that are not ours
    if outside[0] and outside[1]:
        database, broker = DatabaseUrls.of_environment(os.environ), BrokerUrls.of_environment(os.environ)
        plan = _plan(installation, kept, ports, database, broker)
    else:
        postgres, valkey = EmbeddedPostgres(installation.data_dir), EmbeddedValkey(installation.data_dir)
        postgres.prepare()
        valkey.prepare()
        passwords = installation.give_passwords(ROLES).database_passwords
        # Only here: who brings servers of their own adds people of their own.
        kept = replace(kept, logins=installation.give_logins(PEOPLE).logins)
        urls = {role: postgres.url_of(role, passwords[role], ports.postgres) for role in ROLES}
        database = DatabaseUrls(
            owner=postgres.database_url(ports.postgres),
            application=urls[APPLICATION],
            retention=urls[RETENTION],
            reader=urls[READER],
        )
        broker = BrokerUrls(**{user: valkey.url_of(user, ports.valkey) for user in USERS})
        plan = _plan(installation, kept, ports, database, broker)
        servers = plan.servers(postgres, valkey)
        ensure = lambda: postgres.ensure_database(ports.postgres)  # noqa: E731 - one call, bound to its port

    def prepare() -> None:
        ensure()
        settings = _settings(plan)
        prepare_database(settings, kept, options, agents)
        if plan.kept.logins:
            with Database(settings.owner_url, Cipher.of_settings(settings)) as database:
                add_people(database, plan.kept.logins)

    return [*servers, *plan.processes(agents.queues)], plan, prepare


def prepare_database(
    settings: Settings, kept: InstallationSecrets, options: UpOptions, agents: Agents
) -> None:
    """Bring the database to this version, let the installation's keys in, set the business clock going.

    Raises:
        ChangedDefinition, ChangedScript: a version that is registered came with another body or other words.
    """
    url = settings.owner_url
    migrate(url)
    prepare_roles(url, settings.role_urls)
    owners = owners_of(agents)
    with Database(url, Cipher(kept.cipher_key, kept.old_cipher_keys)) as database:
        register_scripts(database, scripts_of(settings))
        with database.transaction() as work:
            Feed(work).continue_restored()
            register(
                work,
                [body for body, _ in read_workflows(settings.config_folder / "workflows")],
                products=PRODUCTS,
                queues=agents.queues,
                agents=agents,
                secrets={SecretUse.REQUEST: lambda: HttpRules.read(settings.config_folder, {}).variables},
            )
            for owner, key in kept.keys.items():
                # The key of an agent whose line was taken out stays as it was.
                if owner in owners:
                    Keys(work).register(key, owner, sorted(owners[owner]))
            is_new = not Orders(work).counts()
            now = BusinessClock(work).now().business_now
            at = FIRST_MORNING if is_new and options.time_jump else now
            BusinessClock(work).set(at, options.time_scale)


def _settings(plan: FleetPlan) -> Settings:
    """The settings that the processes of this plan are given."""
    return Settings.model_validate(
        {
            name.removeprefix("UNPEND_").lower(): value
            for name, value in plan.environment().items()
            if name.startswith("UNPEND_")
        }
        | plan.addresses.database.settings()
    )


def _demonstration(settings: Settings, options: UpOptions, screen: Screen) -> Demonstration:
    return Demonstration(
        process=Process(settings, make_app(settings), name="up"),
        time_jump=options.time_jump,
        show=screen.progress,
        finished=screen.summary,
    )


def _plan(
    installation: Installation,
    kept: InstallationSecrets,
    ports: Ports,
    database: DatabaseUrls,
    broker: BrokerUrls,
) -> FleetPlan:
    return FleetPlan(
        data_dir=installation.data_dir,
        ports=ports,
        addresses=Addresses(
            database=database,
            broker=broker,
            api=f"http://127.0.0.1:{ports.api}/v1",
            channel=f"http://127.0.0.1:{ports.simulator}",
            metrics=f"http://127.0.0.1:{ports.exporter}/metrics",
            flower=f"http://127.0.0.1:{ports.flower}",
            console=f"http://127.0.0.1:{ports.console}/console",
        ),
        kept=kept,
        extra=taken_over(os.environ),
    )


def _document(plan: FleetPlan, settings: Settings) -> dict[str, Any]:
    at, kept = plan.addresses, plan.kept
    return {
        "ready": True,
        "version": version("unpend"),
        "supervisor": os.getpid(),
        "api": at.api,
        "console": at.console,
        "flower": at.flower,
        "flower_user": "operator",
        "flower_password": kept.flower_password,
        "metrics": at.metrics,
        "channel": at.channel,
        "contact_policy": settings.contact_policy,
        "config_folder": str(settings.config_folder.resolve()),
        "database_url": at.database.application,
        "database_url_retention": at.database.retention,
        "broker_url": at.broker.fleet,
        "producer_url": at.broker.producer,
        "sentinel_master": settings.sentinel_master,
        "limits_url": settings.limits_url and settings.limits_url.get_secret_value(),
        "keys": kept.keys,
        "logins": kept.logins,
    }


def _ports(installation: Installation, api: int | None) -> Ports:
    """The ports of the last run, where they are free: a provider calls back at the address it was given then."""
    last = installation.last_ports()
    ports = Ports(
        postgres=same_port(last.get("postgres")),
        valkey=same_port(last.get("valkey")),
        api=api or same_port(last.get("api")),
        simulator=same_port(last.get("simulator")),
        exporter=same_port(last.get("exporter")),
        flower=same_port(last.get("flower")),
        console=same_port(last.get("console")),
    )
    installation.keep_ports(asdict(ports))
    return ports
