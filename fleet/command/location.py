"""Which fleet a command is about, and the way in: `--data-dir`, else `UNPEND_DATA_DIR`, else `./.unpend`."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from fleet.command.failure import NO_FLEET, CommandError

if TYPE_CHECKING:
    from runtime.settings import Settings
    from storage.core.database import Database
    from workers.process import Process

DEFAULT_FOLDER: Final = Path(".unpend")
_CONTAINER_SECRET: Final = Path("/run/secrets/unpend_database_url")

DataDir = Annotated[
    Path | None,
    typer.Option(
        "--data-dir",
        metavar="DIR",
        envvar="UNPEND_DATA_DIR",
        help="The data folder of the fleet; ./.unpend when not named.",
        show_default=False,
    ),
]
"""The option by which every command finds its fleet."""


@dataclass(frozen=True, slots=True)
class Fleet:
    """A fleet that commands can join."""

    data_dir: Path | None
    document: dict[str, Any]
    """What `run.json` says; empty for a fleet that is known by the environment alone."""
    settings: Settings


def find(named: Path | None) -> Fleet:
    """The running fleet of this folder; else, where no folder is named, that of the environment's servers.

    Raises:
        CommandError: no fleet runs there, or its files cannot be read; exit code 3.
    """
    from fleet.command.machine.liveness import is_alive
    from fleet.installation import FleetNotRunning, Installation

    installation = Installation(named or DEFAULT_FOLDER)
    path = installation.run_file.path
    try:
        document = installation.run_document()
        settings = installation.settings()
    except FleetNotRunning:
        if named is None and _environment_names_servers():
            return Fleet(None, {}, settings_of_environment())
        raise
    except (ValueError, KeyError, TypeError) as error:
        message = f"{path} or secrets.json beside it cannot be understood; stop the fleet and start it again"
        raise CommandError(message, NO_FLEET) from error
    supervisor = document.get("supervisor")
    if isinstance(supervisor, int) and not is_alive(supervisor, path.stat().st_mtime):
        raise CommandError(
            f"no fleet is running in {installation.data_dir}: its supervisor, process {supervisor}, is gone; "
            "`make run` starts it again with the same data",
            NO_FLEET,
        )
    return Fleet(installation.data_dir, document, settings)


def _environment_names_servers() -> bool:
    """Whether the environment, or a container's secret file, says where PostgreSQL is."""
    return bool(os.environ.get("UNPEND_DATABASE_URL")) or _CONTAINER_SECRET.is_file()


def settings_of_environment() -> Settings:
    """The settings that the environment's `UNPEND_*` variables give.

    Raises:
        CommandError: some are missing or wrong; names each, and shows the value of none.
    """
    from pydantic import ValidationError

    from runtime.settings import Settings

    try:
        return Settings.read()
    except ValidationError as error:
        faults = (
            f"UNPEND_{'_'.join(str(part) for part in fault['loc']).upper()}: "
            + ("is not set" if fault["type"] == "missing" else fault["msg"])
            for fault in error.errors(include_url=False, include_input=False)
        )
        raise CommandError(f"the environment's settings are not complete: {'; '.join(faults)}") from error


@contextmanager
def opened(named: Path | None) -> Iterator[Database]:
    """The database of the fleet, for commands that only look."""
    from runtime.cipher import Cipher
    from storage.core.database import Database

    settings = find(named).settings
    url, cipher = settings.database_url.get_secret_value(), Cipher.of_settings(settings)
    with Database(url, cipher, pool_size=1, application="unpend-command") as database:
        yield database


@contextmanager
def joined(named: Path | None) -> Iterator[Process]:
    """A process of the fleet, for commands that act."""
    with process_of(find(named)) as process:
        yield process


@contextmanager
def process_of(fleet: Fleet) -> Iterator[Process]:
    """The parts of a process that belongs to this fleet for as long as a command runs."""
    from workers.app import make_app
    from workers.process import Process

    _quieten()
    with ExitStack() as stack:
        app = make_app(fleet.settings)
        stack.callback(app.close)
        process = Process(fleet.settings, app, name="command")
        stack.callback(_close, process)
        yield process


def _quieten() -> None:
    """Keep the engine's log lines out of what a command prints; faults go to standard error."""
    import structlog

    if not structlog.is_configured():
        structlog.configure(
            processors=[structlog.stdlib.add_log_level, structlog.processors.KeyValueRenderer()],
            wrapper_class=structlog.stdlib.BoundLogger,
            logger_factory=structlog.stdlib.LoggerFactory(),
        )


def _close(process: Process) -> None:
    """Close what was made; what was not is not made for it."""
    made = vars(process)
    if "engine" in made:
        process.engine.close()
    if "database" in made:
        process.database.close()
