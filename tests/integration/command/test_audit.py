"""What `unpend audit` checks and exports."""

import json
import stat

from storage.access.system_audit import SystemAudit
from tasks.orders.upkeep.sealing import seal
from tests.support.command_line import CommandLine


def noted(fleet: CommandLine, what: str) -> None:
    with fleet.house.database.transaction() as work:
        SystemAudit(work).write("me", what, {"of": what})
    seal(fleet.house.database, seconds=60.0)


def spoiled(fleet: CommandLine) -> None:
    with fleet.house.database.transaction() as work:
        work.connection.exec_driver_sql("UPDATE system_audit SET detail = '{}' WHERE what = 'the first'")


def test_a_trail_that_agrees_is_told_with_the_head_of_its_chain(fleet: CommandLine) -> None:
    noted(fleet, "the first")
    found = fleet.read("audit", "verify")
    assert found["agrees"] is True
    assert (found["seals"], found["unsealed"]) == (1, 0)
    noted(fleet, "the second")
    again = fleet.run("audit", "verify", "--expect", found["head"])
    assert again.exit_code == 0, again.stderr
    assert "head: 2-" in again.stdout


def test_a_changed_row_ends_the_check_with_its_name(fleet: CommandLine) -> None:
    noted(fleet, "the first")
    spoiled(fleet)
    result = fleet.run("audit", "verify")
    assert result.exit_code == 1
    assert ": it was changed" in result.stderr


def test_a_head_that_the_chain_does_not_hold_ends_the_check(fleet: CommandLine) -> None:
    noted(fleet, "the first")
    result = fleet.run("audit", "verify", "--expect", f"1-{'0' * 64}")
    assert result.exit_code == 1
    assert "not the seal that was kept" in result.stderr
    assert fleet.run("audit", "verify", "--expect", "1-abc").exit_code == 2


def test_an_export_is_private_on_record_and_checked_without_the_database(fleet: CommandLine) -> None:
    noted(fleet, "the first")
    file = fleet.data_dir / "trail.jsonl"
    result = fleet.run("audit", "export", str(file), "--by", "王芳")
    assert result.exit_code == 0, result.stderr
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    told = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    assert any(line.get("row", {}).get("facts", {}).get("what") == "audit_exported" for line in told)
    spoiled(fleet)
    assert fleet.run("audit", "verify", str(file)).exit_code == 0
    file.write_text(file.read_text(encoding="utf-8").replace("the first", "the worst"), encoding="utf-8")
    changed = fleet.run("audit", "verify", str(file))
    assert changed.exit_code == 1
    assert "was changed" in changed.stderr


def test_a_file_that_is_no_export_is_named(fleet: CommandLine) -> None:
    result = fleet.run("audit", "verify", "-", given="{}\n")
    assert result.exit_code == 1
    assert "does not begin as an export" in result.stderr
