"""A channel that answers within the process: for benchmarks and for tests that need no provider."""

from tools.channels.contract import (
    Absent,
    Completed,
    ContactQuery,
    ContactReport,
    ContactRequest,
    QueryOutcome,
    Rejected,
    SendOutcome,
)
from tools.channels.simulated.personas import draw
from tools.channels.simulated.simulation import (
    ScriptError,
    duration,
    parse_entry,
    provider_id_of,
    results_on,
    words,
)


class InstantChannel:
    """A `ChannelGateway` with a customer who answers at once, by script or persona, always alike for the same key.

    Delays and faults of a script are not played. It remembers nothing: the answer to a repeated key is
    computed again, which is why a query finds nothing and sending again is harmless.
    """

    def __init__(self, seed: str = "unpend") -> None:
        self._seed = seed

    def __repr__(self) -> str:
        """The seed is all there is."""
        return f"InstantChannel({self._seed!r})"

    def send(self, request: ContactRequest) -> SendOutcome:
        """Return the customer's final result of this attempt; `Rejected` when the script is invalid."""
        try:
            reaction = (
                draw(self._seed, request.task_id, request.key, request.channel)
                if request.simulation is None
                else parse_entry(request.simulation)
            )
        except ScriptError as error:
            return Rejected(str(error))
        provider_id = provider_id_of(request.key)
        result = results_on(request.channel, reaction.result)[-1]
        return Completed(
            ContactReport(
                event_id=f"{provider_id}.1",
                key=request.key,
                provider_id=provider_id,
                channel=request.channel,
                result=result,
                transcript=words(reaction, result),
                duration_seconds=duration(request.channel, request.key, result),
                recording_url=None,
                occurred_at=None,
            )
        )

    def query(self, sought: ContactQuery, *, timeout_seconds: float) -> QueryOutcome:  # noqa: ARG002 - the contract's arguments
        """Return `Absent`: everything sent was answered in the same call."""
        return Absent()

    def close(self) -> None:
        """Do nothing: no connection is open."""
