"""An order whose step failed is let go on, with its line in the audit log."""

from engine.outcomes import Failed
from statemachine.workflow.states import RunState
from storage.engine.runs import Runs
from storage.engine.steps import Steps
from storage.orders.order_view import OrderView
from storage.people.reviews import Reviews
from tasks.orders.people.intervention import cancel, pause, retry
from tasks.verbs import VerbResult
from tests.support.factories import READY, answered, submission
from tests.support.in_process_fleet import InProcessFleet

UNCLEAR = "喂？听不清，你说什么"


def taken_in(house: InProcessFleet, *words: str, **changes: object) -> str:
    order = submission(*(answered(each) for each in words), **changes)
    house.accept(order)
    return order.body.task_id


def lines(house: InProcessFleet, task_id: str) -> list[tuple[str, str]]:
    with house.database.transaction() as work:
        return [(row["event_type"], row["agent_id"]) for row in OrderView(work).audit_lines(task_id)]


def became(house: InProcessFleet, task_id: str) -> VerbResult:
    return retry(house.engine, house.context, task_id, by="operator", reason="再试")[0]


def test_a_failed_step_that_asks_a_person_is_run_again_by_that_question(house: InProcessFleet) -> None:
    task_id = taken_in(house, READY, metadata={"phone": None})
    assert became(house, task_id) is VerbResult.DONE
    assert ("review_decided", "operator") in lines(house, task_id)
    with house.database.transaction() as work:
        states = [review.state for review in Reviews(work).list(state=None, task_id=task_id)]
    assert states == ["decided", "open"]


def test_an_order_whose_run_failed_goes_on_where_it_stopped(house: InProcessFleet) -> None:
    task_id = taken_in(house, UNCLEAR)
    house.run()
    run_id = house.order(task_id).run_id
    for _ in range(2):  # the question, then the one that asks about its failure
        with house.engine.transaction() as transaction:
            questions = Steps(transaction.work).open_of(run_id)
            Reviews(transaction.work).cancel(questions)
            transaction.fail(questions, Failed(code="lost", message="the question was lost"))
    with house.database.transaction() as work:
        (run,) = Runs(work).lock([run_id])
        assert (run.state, Reviews(work).list(task_id=task_id)) == (RunState.FAILED, [])
    assert became(house, task_id) is VerbResult.DONE
    assert lines(house, task_id)[-2:] == [("review_opened", "orchestrator"), ("task_retried", "operator")]
    with house.database.transaction() as work:
        (review,) = Reviews(work).list(task_id=task_id)
    assert review.node == "escalate_human"


def test_an_order_that_is_on_its_way_needs_no_retry(house: InProcessFleet) -> None:
    assert became(house, taken_in(house, READY)) is VerbResult.NOTHING_TO_DO


def test_a_question_that_offers_no_retry_is_left_to_a_person(house: InProcessFleet) -> None:
    task_id = taken_in(house, UNCLEAR)
    house.run()
    assert became(house, task_id) is VerbResult.WAITS


def test_a_paused_order_is_not_retried(house: InProcessFleet) -> None:
    task_id = taken_in(house, READY)
    pause(house.engine, task_id, by="operator")
    assert became(house, task_id) is VerbResult.WAITS


def test_a_closed_order_is_not_retried(house: InProcessFleet) -> None:
    task_id = taken_in(house, READY)
    cancel(house.engine, task_id, by="operator", reason="重复")
    assert became(house, task_id) is VerbResult.ENDED
    assert became(house, "HT-unknown") is VerbResult.UNKNOWN
