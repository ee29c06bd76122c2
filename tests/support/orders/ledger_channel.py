"""A provider whose calls last until a test ends them, and whose ledger says what reached customers."""

from dataclasses import dataclass, field, replace

from tools.channels.contract import (
    Absent,
    Accepted,
    Completed,
    ContactFound,
    ContactQuery,
    ContactReport,
    ContactRequest,
    QueryOutcome,
    SendOutcome,
)
from tools.channels.simulated.instant import InstantChannel


@dataclass(slots=True)
class LedgerChannel:
    """A `ChannelGateway` with scripted customers; it takes a repeated key for another contact, and remembers it.

    A script entry without delay is answered in the call itself, another when the test ends the contact.

    Attributes:
        reached: The keys of contacts that reached a customer, repeats included.
        open: The contacts under way, by key, with what will be reported of them.
        ended: The same once they are over.
    """

    reached: list[str] = field(default_factory=list)
    open: dict[str, ContactReport] = field(default_factory=dict)
    ended: dict[str, ContactReport] = field(default_factory=dict)
    _customers: InstantChannel = field(default_factory=InstantChannel)

    def send(self, request: ContactRequest) -> SendOutcome:
        """Reach the customer."""
        answer = self._customers.send(request)
        if not isinstance(answer, Completed):
            return answer
        self.reached.append(request.key)
        if not (request.simulation or {}).get("delay_seconds"):
            self.ended[request.key] = answer.report
            return answer
        self.open[request.key] = answer.report
        return Accepted(answer.report.provider_id, duplicate=False)

    def query(self, sought: ContactQuery, *, timeout_seconds: float) -> QueryOutcome:  # noqa: ARG002 - the port's
        """What became of a contact; of one under way, that it is known."""
        if sought.key not in self.reached:
            return Absent()
        report = self.ended.get(sought.key)
        known = report or self.open[sought.key]
        # What is learned by asking has no name of its own, as a callback has.
        return ContactFound(
            known.provider_id, report and replace(report, event_id=f"{report.event_id}.asked")
        )

    def close(self) -> None:
        """Nothing is held."""

    def end(self, key: str) -> ContactReport:
        """Let a contact be over, if it is not yet; what is reported of it."""
        if key in self.open:
            self.ended[key] = self.open.pop(key)
        return self.ended[key]
