"""Messages that cannot be understood, in the stream among good ones."""

import json

from storage.people.rejects import Rejects
from tests.support.fleet.running_fleet import RunningFleet
from tests.support.fleet.scripted_orders import AGREES, orders
from tests.support.waiting import wait_until

_TOLD = "SELECT coalesce(sum(CAST(metadata->>'count' AS integer)), 0) FROM alerts WHERE alert_type = 'intake_rejected'"


def test_bad_messages_are_kept_with_the_field_named_and_the_good_ones_accepted(fleet: RunningFleet) -> None:
    batch = orders(4, scripts=(AGREES,))
    unknown, wrong = (order.payload for order in orders(2, scripts=(AGREES,)))
    bad = ["{not json", json.dumps(unknown | {"colour": "red"}), json.dumps(wrong | {"priority": "urgent"})]
    good = [order.message for order in batch]
    told = fleet.value(_TOLD)
    intake = fleet.process("intake")
    # Held back, so that it finds all of them at once.
    intake.suspend()
    fleet.send(good[0], bad[0], good[1], bad[1], good[2], bad[2], good[3])
    intake.resume()
    wait_until(lambda: fleet.broker.xlen("task.created") == 0, "the stream is empty")
    with fleet.database.transaction() as work:
        kept = Rejects(work).recent(len(bad))
    assert sorted(reject.payload for reject in kept) == sorted(bad)
    named = {reject.payload: [problem["field"] for problem in reject.problems] for reject in kept}
    assert (named[bad[1]], named[bad[2]]) == (["colour"], ["priority"])
    assert named[bad[0]]
    assert fleet.value(_TOLD) == told + len(bad)
    fleet.carry_to_the_end(batch)
