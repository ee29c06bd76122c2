"""The command as a whole: every command in it, errors in one line."""

from typer.testing import CliRunner

from fleet.command.app import application


def test_help_names_every_command() -> None:
    shown = CliRunner().invoke(application, ["--help"]).stdout
    commands = ("up", "down", "status", "submit", "task", "review", "why", "bench", "migrate", "keys", "live")
    assert [command for command in commands if f" {command} " not in shown] == []


def test_up_refuses_options_that_contradict_each_other() -> None:
    result = CliRunner().invoke(application, ["up", "--sample", "x.jsonl", "--no-sample"])
    assert result.exit_code == 2
    assert result.stderr == "unpend: --sample and --no-sample exclude each other\n"


def test_up_refuses_a_clock_that_stands_still() -> None:
    result = CliRunner().invoke(application, ["up", "--time-scale", "0"])
    assert (result.exit_code, result.stderr) == (2, "unpend: --time-scale must be above 0\n")
