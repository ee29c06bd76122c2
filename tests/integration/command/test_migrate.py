"""What `unpend migrate` does with the settings of the environment."""

import shutil
from pathlib import Path

from typer.testing import CliRunner, Result

from fleet.command.app import application
from runtime.settings import PROJECT
from tests.support.in_process_fleet import CIPHER_KEY
from tests.support.servers import Servers


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


def test_a_version_of_a_script_whose_words_were_changed_is_refused(servers: Servers, tmp_path: Path) -> None:
    settings = environment(servers._create("migrated_with_scripts"))
    shutil.copytree(PROJECT / "config", tmp_path / "config")
    settings |= {"UNPEND_CONFIG_FOLDER": str(tmp_path / "config")}
    script = tmp_path / "config" / "scripts" / "pending_task_v1.yaml"
    words = script.read_text(encoding="utf-8")

    def migrated(content: str) -> Result:
        script.write_text(content, encoding="utf-8")
        return CliRunner(env=settings).invoke(application, ["migrate"])

    assert "pending_task_v1:1" in migrated(words).stdout
    assert migrated(words.replace("meaning: ", "meaning: ·", 1)).exit_code == 0
    refused = migrated(words.replace("您好", "早上好"))
    assert refused.exit_code == 1
    assert "'pending_task_v1' version 1 was used with other words before" in refused.stderr
    assert migrated(words.replace("您好", "早上好").replace("version: 1", "version: 2")).exit_code == 0
    assert migrated(words).exit_code == 0


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
