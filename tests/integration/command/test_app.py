"""The command as a whole: quick help, every command in it, errors in one line."""

import subprocess
import sys

from typer.testing import CliRunner

from fleet.command.app import application

HEAVY = ("sqlalchemy", "celery", "pydantic", "structlog", "psutil", "rich")


def test_loading_the_command_loads_nothing_heavy() -> None:
    program = f"import sys, fleet.command.app; print([name for name in {HEAVY} if name in sys.modules])"
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert answer.stdout == "[]\n"


def test_help_names_every_command() -> None:
    shown = CliRunner().invoke(application, ["--help"]).stdout
    commands = ("up", "down", "status", "submit", "task", "review", "why", "bench", "migrate")
    assert [command for command in commands if f" {command} " not in shown] == []


def test_up_refuses_options_that_contradict_each_other() -> None:
    result = CliRunner().invoke(application, ["up", "--sample", "x.jsonl", "--no-sample"])
    assert result.exit_code == 2
    assert result.stderr == "unpend: --sample and --no-sample exclude each other\n"


def test_up_refuses_a_clock_that_stands_still() -> None:
    result = CliRunner().invoke(application, ["up", "--time-scale", "0"])
    assert (result.exit_code, result.stderr) == (2, "unpend: --time-scale must be above 0\n")
