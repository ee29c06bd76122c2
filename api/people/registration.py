"""What waits for people as a part of the API."""

from types import MappingProxyType
from typing import Final

from api.people import alerts, rejects, reviews
from api.server.registration import Registration

PEOPLE: Final = Registration(
    tags=MappingProxyType(
        {
            "people": "What waits for a person: reviews to be decided, alerts to be handled.",
            "intake": "Orders that were refused: looked at, corrected and replayed, or dismissed.",
        }
    ),
    keyed=(reviews.router, alerts.router, rejects.router),
    largest_bodies=MappingProxyType({rejects.router.prefix: rejects.LARGEST_KEPT_BODY}),
)
