"""Events and webhooks as a part of the API."""

from types import MappingProxyType
from typing import Final

from api.outbound import artifacts, deliveries, event_socket, events, notices, subscribers
from api.server.registration import Registration
from storage.core.unit_of_work import UnitOfWork
from storage.outbound.deliveries import Deliveries


def _oldest_due_seconds(work: UnitOfWork) -> float:
    return Deliveries(work).oldest_due_seconds()


OUTBOUND: Final = Registration(
    tags=MappingProxyType(
        {
            "events": "What happens, as it happens, in order and resumable: server-sent events, pages, "
            "and a WebSocket.",
            "artifacts": "What was made or came in and is kept whole: reports, transcripts, forms, exports.",
            "webhooks": "Where channels report; and who is told of what happens, with what was sent to each.",
        }
    ),
    keyed=(events.router, artifacts.router, subscribers.router, deliveries.router, notices.router),
    sockets=(event_socket.router,),
    figures=MappingProxyType({"webhook_seconds": _oldest_due_seconds}),
)
