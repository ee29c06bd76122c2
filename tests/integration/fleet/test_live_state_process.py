"""The worker `outbound` keeps the live state: after a flush it comes back without anybody's doing."""

from pathlib import Path

from tests.support.factories import PARTS_MISSING, answered, submission
from tests.support.fleet.worker_process import worker_process
from tests.support.in_process_fleet import InProcessFleet
from tests.support.live_state import LiveStateAtWork
from tests.support.outbound.process import beating


def test_the_worker_outbound_follows_the_orders_and_survives_a_flushed_redis(
    house: InProcessFleet, database_url: str, broker_url: str, tmp_path: Path
) -> None:
    live = LiveStateAtWork.over(house, broker_url)
    (receipt,) = house.accept(submission(answered(PARTS_MISSING)))
    task_id = str(receipt.task_id)
    with (
        beating(database_url, broker_url) as wait,
        worker_process("outbound", database_url, broker_url, tmp_path),
    ):
        wait(lambda: live.hash_of(task_id).get("state") == "contacting")
        house.run()
        wait(lambda: live.hash_of(task_id).get("state") == "waiting_followup")
        live.lose()
        wait(lambda: live.hash_of(task_id).get("state") == "waiting_followup")
    live.close()
