"""Orders go on in another version of their workflow, when it has what orders need."""

from typing import Any

from engine.migrating import RunMigration
from statemachine.orders.states import State
from storage.engine.definitions import Definitions
from tasks.flows.migration import Migration, migrate
from tests.integration.orders.test_renamed_steps import names_of_renamed, renamed
from tests.support.factories import PARTS_MISSING, READY, answered
from tests.support.in_process_fleet import InProcessFleet
from tests.support.orders.signals import taken_in


def moved(house: InProcessFleet, task_id: str, body: dict[str, Any]) -> RunMigration:
    with house.database.transaction() as work:
        Definitions(work).register("pending_task", str(body["version"]), body)
    run_id = house.order(task_id).run_id
    migration = Migration(
        workflow="pending_task", before="1.0", after="1.1", steps=names_of_renamed(), runs=[run_id]
    )
    (result,) = migrate(house.engine, migration, by="王芳").runs
    return result


def test_an_order_that_waits_for_its_follow_up_goes_on_in_the_new_version_to_its_end(
    house: InProcessFleet,
) -> None:
    task_id = taken_in(house, answered(PARTS_MISSING), answered(READY))
    house.run()
    assert house.order(task_id).status is State.WAITING_FOLLOWUP
    assert moved(house, task_id, renamed()).problems == ()
    house.run_to_the_end()
    assert (house.order(task_id).status, house.order(task_id).finish_reason) == (
        State.CLOSED,
        "visit_arranged",
    )
    assert all(step["node"].startswith("n") for step in house.steps(task_id))


def test_an_order_does_not_go_on_in_a_version_that_lacks_what_orders_need(house: InProcessFleet) -> None:
    task_id = taken_in(house, answered(PARTS_MISSING), answered(READY))
    house.run()
    body = renamed()
    steps: Any = body["steps"]
    for step in steps:
        step.pop("purpose", None)
    problems = moved(house, task_id, body).problems
    assert len(problems) == 2
    assert all("no step has the purpose" in problem for problem in problems)
    house.run_to_the_end()
    assert house.order(task_id).status is State.CLOSED
