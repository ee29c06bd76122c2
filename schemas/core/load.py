"""How busy the fleet is, as answers show it: steps and workers of a queue."""

from schemas.core.form import Answered


class QueueLoad(Answered):
    """Steps of a queue that are not done, by what they wait for."""

    waiting: int = 0
    """Ready, until the queue has room."""
    published: int = 0
    """On the wire, until a worker takes them."""
    leased: int = 0
    """A worker is at them."""
    parked: int = 0
    """Something outside is to answer first."""
    scheduled: int = 0
    """A time is to come first."""
    offered: int = 0
    """An outside agent is to call for them."""
    oldest_seconds: float = 0.0
    """How long the longest waiting of those that are waiting or published does."""


class WorkersView(Answered):
    """The worker processes of an agent, as PostgreSQL sees them."""

    connections: int
    """Connections they keep open; none before they have worked for the first time."""
    at_work: int
    """Processes that hold a lease at this moment."""
