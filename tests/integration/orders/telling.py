"""What the tests of signals share: telling a task something, and a line to customers that can be held."""

from dataclasses import dataclass, field
from itertools import count
from threading import Event

from schemas.signals import Said, Signal
from storage.contacts import Contact
from tasks.signals import Receipt, receive
from tests.house import House
from tools.channels.contract import Absent, Accepted, ContactRequest, QueryOutcome, SendOutcome

_numbers = count(1)


def tell(
    house: House, task_id: str, said: Said, *, signal_id: str | None = None, patient: bool = False
) -> Receipt:
    """Tell a task something, once."""
    signal = Signal(signal_id=signal_id or f"sig-{next(_numbers)}", said=said, sent_by="operator")
    return receive(house.engine, house.context, task_id, signal, patient=patient)


def contacts(house: House, task_id: str, direction: str) -> list[Contact]:
    """The contacts of an order that went this way."""
    with house.database.transaction() as work:
        return [contact for contact in work.contacts.of_task(task_id) if contact.direction == direction]


def everything_shown(house: House) -> str:
    """All rows that people and other systems may be shown, as text."""
    tables = ("events", "audit_logs", "alerts", "transitions", "reviews", "steps", "runs", "system_audit")
    with house.database.transaction() as work:
        rows = [
            row
            for table in tables
            for row in work._connection.exec_driver_sql(f"SELECT {table}::text FROM {table}").scalars()
        ]
        rows += work._connection.exec_driver_sql("SELECT metadata::text FROM tasks").scalars()
        rows += work._connection.exec_driver_sql("SELECT effect FROM signals").scalars()
    return "\n".join(rows)


@dataclass(slots=True)
class Line:
    """A channel that accepts every contact and reports nothing; while it is held, placing one takes for ever."""

    numbers: list[str] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    placing: Event = field(default_factory=Event)
    free: Event = field(default_factory=Event)

    def __post_init__(self) -> None:
        self.free.set()

    def send(self, request: ContactRequest) -> SendOutcome:
        """Accept, once the line is free."""
        self.numbers.append(request.to)
        self.keys.append(request.key)
        self.placing.set()
        assert self.free.wait(30)
        return Accepted(f"p-{request.key}", duplicate=False)

    def query(self, key: str, *, timeout_seconds: float) -> QueryOutcome:  # noqa: ARG002 - the port's
        """It knows of nothing."""
        return Absent()

    def close(self) -> None:
        """Nothing is held."""
