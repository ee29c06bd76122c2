"""What `unpend migrate` does with the settings of the environment."""

from typer.testing import CliRunner

from fleet.command.app import application
from tests.house import CIPHER_KEY
from tests.servers import Servers


def environment(database_url: str) -> dict[str, str]:
    return {
        "UNPEND_DATABASE_URL": database_url,
        "UNPEND_BROKER_URL": "redis://127.0.0.1:1/0",
        "UNPEND_CIPHER_KEY": CIPHER_KEY,
        "UNPEND_CALLBACK_SECRET": "a secret of the tests",
    }


def test_an_empty_database_is_brought_to_this_version_and_again_is_fine(servers: Servers) -> None:
    url = servers._create("migrated_by_command")
    for _ in range(2):
        result = CliRunner(env=environment(url)).invoke(application, ["migrate"])
        assert result.exit_code == 0, result.stderr
        assert "pending_task 1.0" in result.stdout


def test_settings_that_are_missing_are_named_in_one_line() -> None:
    result = CliRunner().invoke(application, ["migrate"])
    assert result.exit_code == 1
    assert result.stderr.count("\n") == 1
    assert "UNPEND_DATABASE_URL: is not set" in result.stderr


def test_a_database_that_is_away_is_told_without_its_password() -> None:
    away = environment("postgresql+psycopg://somebody:very-secret@127.0.0.1:1/unpend")
    result = CliRunner(env=away).invoke(application, ["migrate"])
    assert result.exit_code == 1
    assert "does not answer" in result.stderr
    assert "very-secret" not in result.output
