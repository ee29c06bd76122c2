"""How many at once, how many in a while, and which start is the same as another."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from engine.begin import Begin
from runtime.ids import Prefix, new_id
from statemachine.workflow.states import RunState
from tests.support.engine.written_runs import WrittenRuns


def test_no_more_runs_go_on_at_the_same_time_than_the_limit_for_their_key(database_url: str) -> None:
    written = """
    concurrency: {key: "${shop}", limit: 1}
    steps: [{id: work, type: wait, seconds: 60}]
    """
    with WrittenRuns.of(database_url, written) as runs:
        first, second, other = runs.begin(shop="A"), runs.begin(shop="A"), runs.begin(shop="B")
        assert [runs.nodes(each).get("work") for each in (first, second, other)] == [
            ["scheduled"],
            None,
            ["scheduled"],
        ]
        runs.pass_time(61)
        assert runs.state(first) is RunState.COMPLETED
        assert runs.nodes(second)["work"] == ["scheduled"]
        runs.pass_time(61)
        assert runs.state(second) is RunState.COMPLETED
        assert _slots(runs) == 0


def test_a_run_that_finds_no_slot_is_skipped_where_it_says_so(database_url: str) -> None:
    written = """
    concurrency: {limit: 1, when_full: skip}
    steps: [{id: work, type: wait, seconds: 60}]
    """
    with WrittenRuns.of(database_url, written) as runs:
        first, second = runs.begin(), runs.begin()
        assert (runs.state(first), runs.state(second)) == (RunState.RUNNING, RunState.CANCELLED)


def test_a_run_takes_the_place_of_the_one_before_where_it_says_so(database_url: str) -> None:
    written = """
    concurrency: {limit: 1, when_full: cancel_running}
    steps: [{id: work, type: wait, seconds: 60}]
    """
    with WrittenRuns.of(database_url, written) as runs:
        first, second = runs.begin(), runs.begin()
        assert (runs.state(first), runs.state(second)) == (RunState.CANCELLED, RunState.RUNNING)
        assert runs.nodes(second)["work"] == ["scheduled"]


def test_steps_of_all_runs_share_the_slots_of_a_step(database_url: str) -> None:
    written = """
    steps: [{id: ask, concurrency: {limit: 2}}]
    """
    with WrittenRuns.of(database_url, written) as runs:
        ids = [new_id(Prefix.RUN) for _ in range(5)]
        with runs.house.engine.transaction() as transaction:
            known = transaction.catalogue.current(transaction.work, "tried")
            transaction.begin([Begin(run_id=each, workflow=known) for each in ids])
        waiting = [runs.nodes(each)["ask"][0] for each in ids]
        assert waiting.count("scheduled") == 3
        runs.house.run()
        assert [runs.state(each) for each in ids] == [RunState.COMPLETED] * 5
        assert _slots(runs) == 0


def test_no_more_steps_begin_within_a_while_than_the_rate_allows(database_url: str) -> None:
    written = "steps: [{id: call, rate: {limit: 2, seconds: 3600}}]"
    with WrittenRuns.of(database_url, written) as runs:
        ids = [runs.begin() for _ in range(4)]
        assert [runs.state(each) for each in ids] == [RunState.COMPLETED] * 2 + [RunState.RUNNING] * 2
        with runs.house.database.transaction() as work:
            work.connection.exec_driver_sql("UPDATE slots SET granted_at = granted_at - interval '1 hour'")
        runs.house.run()
        assert [runs.state(each) for each in ids] == [RunState.COMPLETED] * 4


def test_a_cancelled_step_gives_its_slot_back(database_url: str) -> None:
    written = """
    steps: [{id: ask, agent: {capability: asking}, concurrency: {limit: 1}}]
    """
    with WrittenRuns.of(database_url, written) as runs:
        first, second = runs.begin(), runs.begin()
        assert (runs.nodes(first)["ask"], runs.nodes(second)["ask"]) == (["offered"], ["scheduled"])
        with runs.house.engine.transaction() as transaction:
            transaction.end([first], RunState.CANCELLED, agent_id="test", reason="nobody wants it")
        assert runs.nodes(second)["ask"] == ["offered"]


def test_a_second_start_with_the_same_key_is_the_first(database_url: str) -> None:
    with WrittenRuns.of(database_url, 'key: "${order}"\nsteps: [{id: work}]') as runs:
        run_id = runs.begin(order="A")
        again = new_id(Prefix.RUN)
        with runs.house.engine.transaction() as transaction:
            known = transaction.catalogue.current(transaction.work, "tried")
            assert transaction.begin([Begin(run_id=again, workflow=known, variables={"order": "A"})]) == {
                again: run_id
            }
        assert runs.state(runs.begin(order="B")) is RunState.COMPLETED
        assert runs.bench.worked == ["work", "work"]


def test_of_starts_with_the_same_key_at_the_same_moment_one_begins(database_url: str) -> None:
    with WrittenRuns.of(database_url, 'key: "${order}"\nsteps: [{id: work}]') as runs:
        together = Barrier(4, timeout=180)

        def start(number: int) -> dict[str, str]:
            together.wait()
            with runs.house.engine.transaction() as transaction:
                known = transaction.catalogue.current(transaction.work, "tried")
                begun = Begin(run_id=f"exec_{number}", workflow=known, variables={"order": "A"})
                return transaction.begin([begun])

        with ThreadPoolExecutor(max_workers=4) as pool:
            known = list(pool.map(start, range(4)))
        assert sum(not each for each in known) == 1
        runs.house.run()
        assert runs.bench.worked == ["work"]


def test_a_key_without_a_value_fails_the_run(database_url: str) -> None:
    with WrittenRuns.of(database_url, 'key: "${order}"\nsteps: [{id: work}]') as runs:
        run_id = runs.begin()
        assert (runs.state(run_id), runs.error(run_id)) == (RunState.FAILED, "expression")


def _slots(runs: WrittenRuns) -> int:
    with runs.house.database.transaction() as work:
        return int(work.connection.exec_driver_sql("SELECT count(*) FROM slots").scalar_one())
