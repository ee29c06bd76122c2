"""The agents of `examples/agents` against a real API: they work, die, freeze, drain; no step is lost or done twice."""

import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from engine.limits import Limits
from statemachine.workflow.states import RunState
from tests.support.api.agent_programs import FILES, WITHOUT_JQ, agent_program
from tests.support.api.background_work import working_in_background
from tests.support.api.client import ApiClient, api_over
from tests.support.api.live_server import serving
from tests.support.api.outside_work import OTHER, OWN, house_of_outside_work, lease_ends, poll, register
from tests.support.engine.general_runs import begin, state_of
from tests.support.in_process_fleet import InProcessFleet
from tests.support.probe import Probe
from tests.support.waiting import wait_until

LANGUAGES: Final = [*FILES, WITHOUT_JQ]


@pytest.fixture
def address(house: InProcessFleet) -> Iterator[str]:
    with serving(house) as served:
        yield served


@pytest.fixture
def api(house: InProcessFleet) -> Iterator[ApiClient]:
    with api_over(house) as caller:
        yield caller


def outputs(house: InProcessFleet) -> list[object]:
    return Probe(house.database).values(
        "SELECT output->>'by' FROM steps WHERE node = 'outside' AND state = 'done' ORDER BY step_id"
    )


def is_idle(house: InProcessFleet) -> bool:
    return not Probe(house.database).value("SELECT count(*) FROM leases")


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_agent_does_what_comes_and_drains_when_it_is_asked_to_stop(
    house: InProcessFleet, address: str, tmp_path: Path, language: str
) -> None:
    with (
        working_in_background(house),
        agent_program(language, address, tmp_path / "one", at_once=True) as one,
    ):
        runs = begin(house, "refund", runs=2, variables={"status": "x", "lease_id": "y", "step_id": 1})
        wait_until(
            lambda: all(state_of(house, run) is RunState.COMPLETED for run in runs),
            "both runs have completed",
            explain=one.said,
        )
        one.ask_to_stop()
        assert one.process.wait(60) == 0, one.said()
    assert outputs(house) == [OWN, OWN]
    assert Probe(house.database).value("SELECT status FROM agents") == "draining"


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_agent_that_is_asked_to_stop_in_the_middle_finishes_its_step_and_takes_no_other(
    house: InProcessFleet, address: str, tmp_path: Path, language: str
) -> None:
    begin(house, "refund", runs=2)
    with agent_program(language, address, tmp_path / "one") as one:
        one.wait_until_at_work()
        one.ask_to_stop()
        wait_until(
            lambda: Probe(house.database).value("SELECT status FROM agents") == "draining", explain=one.said
        )
        one.let_work_end()
        assert one.process.wait(60) == 0, one.said()
    assert outputs(house) == [OWN]
    assert is_idle(house)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_step_of_an_agent_that_is_killed_goes_to_another(
    house: InProcessFleet, address: str, tmp_path: Path, language: str
) -> None:
    house.tick.sweep()
    begin(house, "refund")
    with agent_program(language, address, tmp_path / "one") as one:
        one.wait_until_at_work()
        one.send(signal.SIGKILL)
        one.process.wait(60)
    lease_ends(house)
    with agent_program(language, address, tmp_path / "two", f"{OTHER}.two", key=OTHER, at_once=True) as two:
        wait_until(lambda: outputs(house) == [f"{OTHER}.two"], "the other has done it", explain=two.said)
    assert Probe(house.database).value("SELECT crashes FROM steps WHERE node = 'outside'") == 1


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_agent_that_was_frozen_changes_nothing_when_it_goes_on(
    house: InProcessFleet, address: str, tmp_path: Path, language: str
) -> None:
    house.tick.sweep()
    begin(house, "refund")
    with agent_program(language, address, tmp_path / "one") as one:
        one.wait_until_at_work()
        one.send(signal.SIGSTOP)
        lease_ends(house)
        with agent_program(
            language, address, tmp_path / "two", f"{OTHER}.two", key=OTHER, at_once=True
        ) as two:
            wait_until(lambda: outputs(house) == [f"{OTHER}.two"], "the other has done it", explain=two.said)
        before = list(Probe(house.database).rows("SELECT * FROM steps ORDER BY step_id"))
        one.let_work_end()
        one.send(signal.SIGCONT)
        late = "SELECT actor FROM system_audit WHERE what = 'outside_report_late'"
        wait_until(lambda: Probe(house.database).values(late) == [OWN], "it was refused", explain=one.said)
    assert list(Probe(house.database).rows("SELECT * FROM steps ORDER BY step_id")) == before


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_agent_whose_work_fails_says_so_and_the_step_is_tried_again(
    house: InProcessFleet, address: str, tmp_path: Path, language: str
) -> None:
    with agent_program(language, address, tmp_path / "one") as one:
        (one.folder / "fails").touch()
        one.let_work_end()
        begin(house, "refund")
        tried = "SELECT state, tries, error->>'code' AS code FROM steps"
        wait_until(
            lambda: tuple(Probe(house.database).row(tried)) == ("scheduled", 1, "work_failed"),
            explain=one.said,
        )


def test_an_agent_that_is_killed_while_it_waits_is_given_nothing(
    house: InProcessFleet, address: str, tmp_path: Path
) -> None:
    with agent_program("python", address, tmp_path / "one") as one:
        wait_until(
            lambda: Probe(house.database).values("SELECT agent_id FROM agents") == [OWN], explain=one.said
        )
        waiting = "SELECT heartbeat_at > registered_at FROM agents"
        wait_until(lambda: Probe(house.database).value(waiting), "it has asked", explain=one.said)
        one.send(signal.SIGKILL)
        one.process.wait(60)
    begin(house, "refund")
    with api_over(house) as api:
        register(api, f"{OTHER}.two", key=OTHER)
        assert len(poll(api, f"{OTHER}.two", key=OTHER, wait_seconds=5)) == 1
    assert Probe(house.database).values("SELECT holder FROM leases") == [f"{OTHER}.two"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_agent_leaves_work_that_nobody_waits_for_any_more(
    database_url: str, tmp_path: Path, language: str
) -> None:
    house = house_of_outside_work(database_url, limits=Limits(outside_lease_seconds=2.0))
    (run_id,) = begin(house, "refund")
    with serving(house) as address, agent_program(language, address, tmp_path / "one") as one:
        one.wait_until_at_work()
        with api_over(house) as api:
            assert api.post(f"/tasks/{run_id}/cancel").status_code == 200
        begin(house, "refund")
        (one.folder / "begun").unlink()
        one.wait_until_at_work()
        one.let_work_end()
        wait_until(lambda: outputs(house) == [OWN], "it has gone on with the next", explain=one.said)
    house.close()
