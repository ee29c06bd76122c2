"""Every process of the fleet reaches PostgreSQL under the role of its work, and what it writes is sealed."""

import urllib.request

from storage.migrations.roles import APPLICATION, READER, RETENTION
from tasks.orders.upkeep.audit_trail import check_database
from tests.support.fleet.running_fleet import RunningFleet
from tests.support.fleet.scripted_orders import orders
from tests.support.waiting import wait_until

_ROLES = (
    "SELECT DISTINCT application_name || ' ' || usename FROM pg_stat_activity "
    "WHERE starts_with(application_name, 'unpend-') AND application_name <> 'unpend-test'"
)


def test_every_process_works_under_its_role_and_the_trail_it_leaves_agrees(fleet: RunningFleet) -> None:
    batch = orders(20)
    fleet.accept(batch)
    seen: set[str] = set()

    def all_seen() -> bool:
        seen.update(fleet.values(_ROLES))
        return {"unpend-upkeep", "unpend-exporter", "unpend-api", "unpend-contact"} <= {
            one.split()[0] for one in seen
        }

    fleet.carry_to_the_end(batch)
    urllib.request.urlopen(fleet.document["metrics"]).close()
    wait_until(all_seen, "every process has reached PostgreSQL", seconds=180)
    roles: dict[str, set[str]] = {}
    for name, role in map(str.split, seen):
        roles.setdefault(name, set()).add(role)
    assert roles.pop("unpend-upkeep") == {RETENTION}
    assert roles.pop("unpend-exporter") == {READER}
    assert all(under == {APPLICATION} for under in roles.values()), roles
    wait_until(
        lambda: fleet.value("SELECT count(*) FROM audit_seals"), "the audit trail is sealed", seconds=180
    )
    check, _ = check_database(fleet.database)
    assert check.fault is None
    assert check.rows > 0
