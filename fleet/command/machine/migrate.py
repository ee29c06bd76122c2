"""`unpend migrate`: brings the database of the environment's settings to this version."""

from fleet.command.location import settings_of_environment
from fleet.command.output import show_line


def migrate() -> None:
    """Bring the database to this version, register the workflow definitions and scripts (for deployments)."""
    from fleet.command.failure import CommandError
    from runtime.cipher import Cipher
    from storage.core.database import Database
    from storage.core.migrate import migrate as bring_up
    from storage.core.unavailable import StorageUnavailable
    from tasks.orders.rules.context import scripts_folder
    from tasks.orders.upkeep.script_versions import register_scripts
    from tools.scripts.document import load_scripts
    from workers.process import read_workflows

    settings = settings_of_environment()
    workflows = read_workflows(settings.config_folder / "workflows")
    scripts, url = load_scripts(scripts_folder(settings)), settings.database_url.get_secret_value()
    try:
        bring_up(url, [body for body, _ in workflows])
        with Database(
            url, Cipher.of_settings(settings), pool_size=1, application="unpend-migrate"
        ) as database:
            register_scripts(database, scripts)
    except StorageUnavailable as error:
        raise CommandError(f"PostgreSQL at UNPEND_DATABASE_URL does not answer: {error}") from error
    names = ", ".join(
        [
            *(f"{workflow.name} {workflow.version}" for _, workflow in workflows),
            *(script.reference for script in scripts.all),
        ]
    )
    show_line(f"the database is at this version; registered: {names}")
