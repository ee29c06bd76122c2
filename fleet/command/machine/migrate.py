"""`unpend migrate`: brings the database of the environment's settings to this version."""

from typing import Annotated

import typer

from fleet.command.location import settings_of_environment
from fleet.command.output import show_line


def migrate(
    *,
    print_roles: Annotated[
        bool, typer.Option("--print-roles", help="Show what an administrator runs to make the roles.")
    ] = False,
) -> None:
    """Bring the database to this version, register the workflow definitions and scripts (for deployments)."""
    from engine.catalogue import register
    from engine.definitions.known_secrets import SecretUse
    from fleet.command.failure import CommandError
    from schemas.core.agents import read_agents
    from storage.core.database import Database
    from storage.core.migrate import migrate as bring_up
    from storage.core.unavailable import StorageUnavailable
    from storage.migrations.roles import instructions, prepare_roles
    from storage.outbound.feed import Feed
    from tasks.orders.rules.context import scripts_of
    from tasks.orders.upkeep.script_versions import register_scripts
    from tasks.registry import PRODUCTS
    from tools.http_requests.rules import HttpRules
    from workers.process import read_workflows

    if print_roles:
        for line in instructions():
            show_line(line)
        return
    settings = settings_of_environment()
    workflows = read_workflows(settings.config_folder / "workflows")
    agents = read_agents(settings.config_folder)
    scripts, url = scripts_of(settings), settings.owner_url
    try:
        bring_up(url)
        missing = prepare_roles(url, settings.role_urls)
        with Database(url, None, pool_size=1, application="unpend-migrate") as database:
            register_scripts(database, scripts)
            with database.transaction() as work:
                Feed(work).continue_restored()
                register(
                    work,
                    [body for body, _ in workflows],
                    products=PRODUCTS,
                    queues=agents.queues,
                    agents=agents,
                    secrets={SecretUse.REQUEST: lambda: HttpRules.read(settings.config_folder, {}).variables},
                )
    except StorageUnavailable as error:
        raise CommandError(f"PostgreSQL at UNPEND_DATABASE_URL does not answer: {error}") from error
    names = ", ".join(
        [
            *(f"{workflow.name} {workflow.version}" for _, workflow in workflows),
            *(script.reference for script in scripts.all),
        ]
    )
    show_line(f"the database is at this version; registered: {names}")
    if missing:
        show_line(
            f"{', '.join(missing)}: missing, and this role may make none, so one role does everything. "
            "An administrator runs what `unpend migrate --print-roles` shows (docs/audit.md)"
        )
