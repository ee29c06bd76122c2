"""A channel that does as a test tells it, and what a test reports of the contacts made through it."""

from collections.abc import Callable
from dataclasses import dataclass, field

from schemas.orders.contact import Channel, ContactResult
from tasks.orders.inbound.reports import ReportOutcome, take_reports
from tests.support.factories import READY, submission
from tests.support.in_process_fleet import InProcessFleet
from tests.support.probe import Probe
from tools.channels.callbacks import CallbackReport
from tools.channels.contract import (
    Absent,
    Accepted,
    ContactQuery,
    ContactReport,
    ContactRequest,
    NotSent,
    QueryOutcome,
    SendOutcome,
)


@dataclass(slots=True)
class ScriptedChannel:
    """A channel that does as it is told and remembers every contact that reached a customer.

    Attributes:
        answers: What it answers to what is sent, in turn; afterwards it accepts.
        on_query: What it answers when it is asked about a contact.
        during_send: What happens in the world while a contact is being sent, in turn.
        during_query: The same while it is asked.
        reached: The keys of contacts that reached a customer.
        queried: The keys it was asked about.
    """

    answers: list[SendOutcome] = field(default_factory=list)
    on_query: QueryOutcome = field(default_factory=Absent)
    during_send: list[Callable[[ContactRequest], object]] = field(default_factory=list)
    during_query: list[Callable[[ContactQuery], object]] = field(default_factory=list)
    reached: list[str] = field(default_factory=list)
    queried: list[str] = field(default_factory=list)

    def send(self, request: ContactRequest) -> SendOutcome:
        """Answer as told, else accept."""
        answer = self.answers.pop(0) if self.answers else Accepted(f"p-{request.key}", duplicate=False)
        if not isinstance(answer, NotSent):
            self.reached.append(request.key)
        if self.during_send:
            self.during_send.pop(0)(request)
        return answer

    def query(self, sought: ContactQuery, *, timeout_seconds: float) -> QueryOutcome:  # noqa: ARG002 - the port's
        """Answer as told."""
        self.queried.append(sought.key)
        answer = self.on_query
        if self.during_query:
            self.during_query.pop(0)(sought)
        return answer

    def close(self) -> None:
        """Nothing is held."""


def report_of(key: str, result: ContactResult = ContactResult.ANSWERED, event: str = "1") -> ContactReport:
    """What a provider reports of the contact with this key."""
    return ContactReport(
        event_id=f"{key}.{event}",
        key=key,
        provider_id=f"p-{key}",
        channel=Channel.PHONE,
        result=result,
        transcript=READY if result is ContactResult.ANSWERED else "",
        duration_seconds=30,
        recording_url=None,
        occurred_at=None,
    )


def tell(house: InProcessFleet, *reports: ContactReport) -> list[ReportOutcome]:
    """Hand reports in as the door does."""
    return take_reports(
        house.engine, house.context, "simulator", [CallbackReport(one, raw="{}") for one in reports]
    )


def taken(house: InProcessFleet) -> str:
    """An order that the fleet has done with what it can do at once; its id."""
    order = submission()
    house.accept(order)
    house.run()
    return order.body.task_id


def called(house: InProcessFleet, channel: ScriptedChannel) -> tuple[str, str]:
    """An order whose customer has been called: its id and the contact's key."""
    return taken(house), channel.reached[-1]


def make_due(house: InProcessFleet, *, parked: bool = False) -> None:
    """Let every wait on the database's clock be over, of parked steps too if told so."""
    states = "('scheduled', 'parked')" if parked else "('scheduled')"
    Probe(house.database).write(
        f"UPDATE steps SET due_at = due_at - interval '1 hour' WHERE due_clock = 'database' AND state IN {states}"
    )


def lapse(house: InProcessFleet) -> None:
    """Let every lease run out, and the tick notice it: the workers that hold them are zombies now."""
    Probe(house.database).write("UPDATE leases SET expires_at = clock_timestamp() - interval '1 s'")
    house.tick.sweep()
