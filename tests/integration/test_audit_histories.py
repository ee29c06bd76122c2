"""Whatever was written, rolled back and sealed in whatever order, the chain holds, and one changed row breaks it."""

from typing import Final

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from storage.access.seals import Seals
from storage.access.tables import SYSTEM_AUDIT
from storage.core.database import Database
from storage.core.settled import Writers
from tasks.orders.upkeep.sealing import seal
from tests.support.audit_trail import LONG, change, check, note, roll_back

STEPS: Final = st.lists(
    st.sampled_from(["write", "write two", "roll back", "seal", "seal a part"]), max_size=25
)


@given(steps=STEPS, victim=st.integers(min_value=0), verb=st.sampled_from(["change", "remove"]))
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_happened_the_chain_holds_and_one_changed_row_breaks_it(
    database: Database, steps: list[str], victim: int, verb: str
) -> None:
    with database.transaction() as work:
        work.connection.exec_driver_sql("TRUNCATE system_audit, audit_seals")
    for step in steps:
        match step:
            case "write":
                note(database, "one")
            case "write two":
                note(database, "one", "two")
            case "roll back":
                roll_back(database)
            case "seal a part":
                with database.transaction() as work:
                    Seals(work).seal(
                        SYSTEM_AUDIT,
                        up_to=Writers(work).newest(SYSTEM_AUDIT.name, SYSTEM_AUDIT.position),
                        most=2,
                    )
            case _:
                seal(database, seconds=LONG)
    whole = check(database)
    assert whole.fault is None
    with database.looks() as work:
        up_to = Seals(work).sealed_up_to(SYSTEM_AUDIT)
        rows = Seals(work).rows(SYSTEM_AUDIT, 1, up_to)
    if rows:
        key = rows[victim % len(rows)].key
        done = "DELETE FROM system_audit" if verb == "remove" else "UPDATE system_audit SET actor = 'other'"
        change(database, f"{done} WHERE entry_id = {key}")
        fault = check(database).fault
        assert fault is not None
        if verb == "change":
            assert fault.key == key
