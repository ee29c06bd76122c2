"""Reviews that wait for people, and the time of held decisions."""

from tasks.people.due_holds import apply_due
from tests.support.factories import answered, submission
from tests.support.in_process_fleet import InProcessFleet
from tests.support.probe import Probe

UNCLEAR = "喂？听不清，你说什么"


def asked_about(house: InProcessFleet, words: str = UNCLEAR, **changes: object) -> str:
    """The review of an order whose customer said this."""
    order = submission(answered(words), **changes)
    house.accept(order)
    house.run()
    found = Probe(house.database).value(
        "SELECT review_id FROM reviews WHERE task_id = %s AND state = 'open'", order.body.task_id
    )
    assert isinstance(found, str)
    return found


def come_due(house: InProcessFleet) -> int:
    """Let every hold be over on the database's clock, and be applied; how many there were."""
    Probe(house.database).write(
        "UPDATE held_decisions SET held_until = made_at - interval '1 second' WHERE state = 'held'"
    )
    return apply_due(house.engine, house.forms)
