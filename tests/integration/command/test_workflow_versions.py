"""What `unpend workflow migrate` and `unpend workflow replay` show and do."""

from storage.engine.definitions import Definitions
from tests.support.command_line import CommandLine
from tests.support.engine.general_runs import begin


def body(version: str, name: str) -> dict[str, object]:
    return {
        "workflow": "asks",
        "version": version,
        "steps": [{"id": name, "type": "human", "decisions": {"ok": "end"}}],
    }


def test_runs_migrate_by_command_and_those_that_stay_say_why(fleet: CommandLine) -> None:
    house = fleet.house
    with house.database.transaction() as work:
        Definitions(work).register("asks", "1", body("1", "ask"))
    (run_id,) = begin(house, "asks")
    with house.database.transaction() as work:
        Definitions(work).register("asks", "2", body("2", "confirm"))
    refused = fleet.run("workflow", "migrate", "asks", "1", "2")
    assert refused.exit_code == 1
    assert refused.stdout == (
        f"{run_id}: step 'ask' is open, and version 2 has no step 'ask'\n0 of 1 runs go on in asks@2\n"
    )
    named = ("workflow", "migrate", "asks", "1", "2", "--step", "ask=confirm")
    assert fleet.run(*named, "--dry-run").stdout == "1 of 1 runs would go on in asks@2\n"
    assert fleet.run(*named, "--by", "王芳").stdout == "1 of 1 runs go on in asks@2\n"
    assert fleet.run(*named).stdout == "0 of 0 runs go on in asks@2\n"
    replayed = fleet.run("workflow", "replay", "asks@2", "--run", run_id)
    assert (replayed.exit_code, replayed.stdout) == (0, f"{run_id}: not comparable: it has not ended\n")
    assert fleet.run("workflow", "replay", "asks").exit_code == 2
    assert fleet.run("workflow", "replay", "asks@2").stdout == "no run of the workflow has ended yet\n"
    assert fleet.run("workflow", "migrate", "asks", "1", "2", "--step", "ask").exit_code == 2
    missing = fleet.run("workflow", "migrate", "asks", "1", "9")
    assert (missing.exit_code, "no such version" in missing.stderr) == (1, True)
