"""What `unpend report` writes."""

from datetime import UTC, datetime
from pathlib import Path

from storage.engine.clock import BusinessClock
from tests.support.command_line import CommandLine


def test_a_report_is_written_to_a_file_in_the_form_and_language_that_are_asked_for(
    fleet: CommandLine, tmp_path: Path
) -> None:
    file = tmp_path / "report.html"
    asked = ("--day", "2026-11-30", "--format", "html", "--language", "en", "-o", str(file))
    done = fleet.run("report", "daily", *asked)
    assert (done.exit_code, done.stdout) == (0, f"the report of 2026-11-30 is in {file}\n")
    assert "<h1>Daily report 2026-11-30 (Monday)</h1>" in file.read_text(encoding="utf-8")


def test_without_a_day_it_is_the_business_day_before_and_goes_to_standard_output(fleet: CommandLine) -> None:
    with fleet.house.database.transaction() as work:
        # In China the first of December has begun.
        BusinessClock(work).set(datetime(2026, 11, 30, 17, tzinfo=UTC))
    assert fleet.run("report", "daily").stdout.startswith("# 每日报告 2026-11-30（周一）\n")


def test_what_is_no_day_is_refused_before_anybody_is_asked(fleet: CommandLine) -> None:
    refused = fleet.run("report", "daily", "--day", "soon")
    assert (refused.exit_code, "--day is no date" in refused.stderr) == (2, True)


def test_a_file_that_cannot_be_written_is_an_error(fleet: CommandLine, tmp_path: Path) -> None:
    refused = fleet.run("report", "daily", "--day", "2026-11-30", "-o", str(tmp_path / "none" / "report.md"))
    assert (refused.exit_code, "cannot be written" in refused.stderr) == (1, True)
