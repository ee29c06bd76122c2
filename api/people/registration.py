"""What waits for people as a part of the API."""

from types import MappingProxyType
from typing import Final

from api.people import alerts, reviews
from api.server.registration import Registration

PEOPLE: Final = Registration(
    tags=MappingProxyType(
        {"people": "What waits for a person: reviews to be decided, alerts to be handled."}
    ),
    keyed=(reviews.router, alerts.router),
)
