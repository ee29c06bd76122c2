"""Takes personal fields out of orders that were accepted before the fields were declared."""

from typing import Final

from runtime.personal import PersonalFields, merged
from storage.core.database import Database
from storage.orders.upkeep.personal_metadata import KeptMetadata, PersonalMetadata

_BITE: Final = 200
"""Orders one transaction looks at."""


def take_out(database: Database, personal: PersonalFields) -> int:
    """Encrypt what is declared personal and still stands in the metadata of orders; how many orders were changed.

    The fleet may run; broken off and called again, it leaves what is done as it is.
    """
    changed, after = 0, ""
    while True:
        with database.transaction() as work:
            metadata = PersonalMetadata(work)
            some = metadata.some(after, _BITE)
            wanted = [kept.task_id for kept in some if personal.divide(kept.shown).taken is not None]
            for kept in metadata.lock(wanted) if wanted else ():
                divided = personal.divide(kept.shown)
                # Somebody may have changed the order before it was locked.
                if divided.taken is not None:
                    taken = merged(kept.personal, divided.taken)
                    metadata.write(KeptMetadata(kept.task_id, divided.shown, taken))
                    changed += 1
        if len(some) < _BITE:
            return changed
        after = some[-1].task_id
