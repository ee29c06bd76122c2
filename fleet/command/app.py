"""The `unpend` command. What is heavy is imported by the command that needs it, so help comes at once."""

import logging
import sys
from importlib import import_module
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer
from typer.main import get_group

from fleet.command.failure import CommandError, Commands
from fleet.command.location import DEFAULT_FOLDER, DataDir
from fleet.command.machine import check, down, migrate, status
from fleet.command.orders import submit, why

if TYPE_CHECKING:
    from typer._click import Command

_GROUPS: Final = MappingProxyType(
    {
        "task": "fleet.command.orders.task",
        "review": "fleet.command.people.review",
        "alert": "fleet.command.people.alert",
        "capacity": "fleet.command.orders.capacity",
        "keys": "fleet.command.access.keys",
        "people": "fleet.command.access.people",
        "audit": "fleet.command.access.audit",
        "webhooks": "fleet.command.outbound.webhooks",
        "notices": "fleet.command.outbound.notices",
        "intake": "fleet.command.people.intake",
        "policy": "fleet.command.orders.policy",
        "workflow": "fleet.command.flows.workflow",
        "run": "fleet.command.flows.run",
        "events": "fleet.command.flows.events",
        "schedules": "fleet.command.flows.schedules",
        "agents": "fleet.command.flows.agents",
        "script": "fleet.command.orders.script",
        "report": "fleet.command.orders.report",
        "privacy": "fleet.command.orders.privacy",
        "stop": "fleet.command.orders.stop",
        "do-not-call": "fleet.command.orders.do_not_call",
        "live": "fleet.command.machine.live",
    }
)
"""Groups of commands, and the module that has each: nobody waits for those that were not asked for."""


class _AllCommands(Commands):
    """The commands and the groups; a group is loaded when it is asked for."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Every name that can be called."""
        return list(dict.fromkeys([*super().list_commands(ctx), *_GROUPS]))

    def get_command(self, ctx: Any, cmd_name: str) -> "Command | None":
        """The command or group of this name; for one that does not exist all are loaded, to suggest the nearest."""
        if cmd_name not in self.commands:
            for name in [cmd_name] if cmd_name in _GROUPS else _GROUPS:
                group = get_group(import_module(_GROUPS[name]).application)
                group.name = name
                self.commands[name] = group
        return super().get_command(ctx, cmd_name)


application = typer.Typer(
    cls=_AllCommands,
    name="unpend",
    help="Drives suspended field-service orders (挂起任务) to an end.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@application.command()
def up(
    data_dir: DataDir = None,
    port: Annotated[int | None, typer.Option(min=1, max=65_535, help="The API's port; a free one.")] = None,
    time_scale: Annotated[float, typer.Option(help="How fast the business clock runs.")] = 1.0,
    sample: Annotated[Path | None, typer.Option(help="Orders to begin with; those of the project.")] = None,
    *,
    time_jump: Annotated[bool, typer.Option("--time-jump", help="Leap over idle time.")] = False,
    no_sample: Annotated[bool, typer.Option("--no-sample", help="Begin with no orders.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Show no progress.")] = False,
) -> None:
    """Start the whole fleet on this machine; Ctrl-C stops it."""
    if time_scale <= 0:
        raise CommandError("--time-scale must be above 0", 2)
    if sample is not None and no_sample:
        raise CommandError("--sample and --no-sample exclude each other", 2)
    if sample is not None and not sample.is_file():
        raise CommandError(f"--sample {sample} is not a file", 2)
    from fleet.plan import FleetPlan

    warm = FleetPlan.warm_parent()
    try:
        # It imports while this process does, and while the servers start.
        warm.tend()
        from fleet.command.machine.up import SAMPLES, UpOptions
        from fleet.command.machine.up import up as start

        start(
            UpOptions(
                data_dir=data_dir or DEFAULT_FOLDER,
                port=port,
                time_scale=time_scale,
                time_jump=time_jump,
                samples=() if no_sample else (sample,) if sample else SAMPLES,
                quiet=quiet,
            ),
            warm,
        )
    finally:
        warm.stop()


application.command("down")(down.down)
application.command("status")(status.status)
application.command("check")(check.check)
application.command("submit")(submit.submit)
application.command("why")(why.why)
application.command("migrate")(migrate.migrate)


_OPTIONS_OF_ITS_OWN: Final = {
    "ignore_unknown_options": True,
    "allow_extra_args": True,
    "help_option_names": list[str](),
}


@application.command(context_settings=_OPTIONS_OF_ITS_OWN)
def bench(context: typer.Context) -> None:
    """Measure how fast the fleet is on this machine."""
    _run_installed("bench", context)


@application.command(context_settings=_OPTIONS_OF_ITS_OWN)
def chaos(context: typer.Context) -> None:
    """Strike a fleet of its own with faults, and check that nothing was lost or done twice."""
    _run_installed("chaos", context)


@application.command(context_settings=_OPTIONS_OF_ITS_OWN)
def triage(context: typer.Context) -> None:
    """The intent model: train, evaluate, explain, retrain."""
    _run_installed("triage", context)


def _run_installed(name: str, context: typer.Context) -> None:
    """Run the command of a package that stands above this one, and is loaded only when it is asked for."""
    from importlib.metadata import entry_points

    for found in entry_points(group="unpend.commands", name=name):
        try:
            command = found.load()
        except ModuleNotFoundError as error:
            if (error.name or "").partition(".")[0] != found.module.partition(".")[0]:
                raise
            break
        ended = command(args=context.args, prog_name=f"unpend {name}", standalone_mode=False)
        raise typer.Exit(ended if isinstance(ended, int) else 0)
    raise CommandError(f"this installation has no '{name}'; install the whole project to have it")


def main() -> None:
    """The entry point `unpend`."""
    # The engine's log lines are not what the caller asked for; what concerns them is told by the command.
    logging.basicConfig(stream=sys.stderr, level=logging.ERROR, format="unpend: %(message)s")
    application()
