"""`unpend down`: stops the running fleet of a data folder, in order."""

from __future__ import annotations

import os
import signal
import time
from typing import Final

from fleet.command.failure import NO_FLEET, CommandError
from fleet.command.location import DEFAULT_FOLDER, DataDir
from fleet.command.output import show_line

_LONGEST: Final = 30.0
"""Seconds an orderly stop may take; the supervisor kills what is left before that."""

_LOOK: Final = 0.05


def down(data_dir: DataDir = None) -> None:
    """Stop the running fleet; its data stay."""
    from fleet.command.machine.liveness import is_alive
    from fleet.supervisor.run_file import RunFile

    folder = (data_dir or DEFAULT_FOLDER).resolve()
    run_file = RunFile(folder / "run.json")
    try:
        document = run_file.read()
    except ValueError as error:
        raise CommandError(f"{run_file.path} cannot be understood, so its supervisor is not known") from error
    supervisor = document.get("supervisor") if document else None
    if not isinstance(supervisor, int):
        raise CommandError(f"no fleet is running in {folder}", NO_FLEET)
    named_at = run_file.path.stat().st_mtime
    if not is_alive(supervisor, named_at):
        raise CommandError(
            f"no fleet is running in {folder}: its supervisor, process {supervisor}, is gone already",
            NO_FLEET,
        )
    began = time.monotonic()
    try:
        os.kill(supervisor, signal.SIGTERM)
    except PermissionError as error:
        raise CommandError(
            f"the fleet in {folder} belongs to another user; stop process {supervisor} as that user"
        ) from error
    except ProcessLookupError:
        pass
    while is_alive(supervisor, named_at):
        if time.monotonic() - began > _LONGEST:
            raise CommandError(
                f"process {supervisor} was told to stop and has not after {_LONGEST:.0f} s; "
                f"its logs are in {folder}"
            )
        time.sleep(_LOOK)
    show_line(f"the fleet in {folder} is stopped, after {time.monotonic() - began:.1f} s; its data stay")
