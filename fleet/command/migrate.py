"""`unpend migrate`: brings the database of the environment's settings to this version."""

from fleet.command.location import settings_of_environment
from fleet.command.output import show_line


def migrate() -> None:
    """Bring the database to this version and register the workflow definitions (for deployments)."""
    from fleet.command.failure import CommandError
    from storage.migrate import migrate as bring_up
    from storage.unavailable import StorageUnavailable
    from workers.process import read_workflows

    settings = settings_of_environment()
    workflows = read_workflows(settings.config_folder / "workflows")
    try:
        bring_up(settings.database_url.get_secret_value(), [body for body, _ in workflows])
    except StorageUnavailable as error:
        raise CommandError(f"PostgreSQL at UNPEND_DATABASE_URL does not answer: {error}") from error
    names = ", ".join(f"{workflow.name} {workflow.version}" for _, workflow in workflows)
    show_line(f"the database is at this version; registered: {names}")
