"""Which fleet a command is about, and the way in: `--data-dir`, else `UNPEND_DATA_DIR`, else `./.unpend`."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from fleet.command.failure import NO_FLEET, CommandError

if TYPE_CHECKING:
    from runtime.settings import Settings

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
    document: Mapping[str, Any]
    """What `run.json` says; empty for a fleet that is known by the environment alone."""
    api: str | None
    """Where its API is."""

    @property
    def knows_servers(self) -> bool:
        """Whether the fleet's database is known, not its API alone."""
        return self.data_dir is not None or _environment_names_servers()

    def settings(self) -> Settings:
        """The settings under which a process joins the fleet.

        Raises:
            CommandError: they cannot be read.
        """
        from fleet.installation import Installation

        if self.data_dir is None:
            return settings_of_environment()
        try:
            return Installation(self.data_dir).settings()
        except (ValueError, KeyError, TypeError) as error:
            raise _unreadable(self.data_dir / "run.json") from error

    def key_of(self, owner: str) -> str:
        """The key that the environment names, a person's own; else the one this owner has in the fleet's folder."""
        kept = self.document.get("keys", {}).get(owner)
        return os.environ.get("UNPEND_API_KEY") or str(kept or "")


def find(named: Path | None) -> Fleet:
    """The running fleet of this folder; where none is named, that of UNPEND_API_URL or of the environment.

    Raises:
        CommandError: no fleet runs there, or its files cannot be read; exit code 3.
    """
    from fleet.command.machine.liveness import is_alive
    from fleet.installation import FleetNotRunning, Installation

    address = os.environ.get("UNPEND_API_URL")
    if named is None and address:
        return Fleet(None, {}, address)
    installation = Installation(named or DEFAULT_FOLDER)
    path = installation.run_file.path
    try:
        document = installation.run_document()
    except FleetNotRunning:
        if named is None and _environment_names_servers():
            return Fleet(None, {}, None)
        raise
    except (ValueError, KeyError, TypeError) as error:
        raise _unreadable(path) from error
    supervisor = document.get("supervisor")
    if isinstance(supervisor, int) and not is_alive(supervisor, path.stat().st_mtime):
        raise CommandError(
            f"no fleet is running in {installation.data_dir}: its supervisor, process {supervisor}, is gone; "
            "`make run` starts it again with the same data",
            NO_FLEET,
        )
    return Fleet(installation.data_dir, document, str(document["api"]))


def _unreadable(path: Path) -> CommandError:
    return CommandError(
        f"{path} or secrets.json beside it cannot be understood; stop the fleet and start it again", NO_FLEET
    )


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
