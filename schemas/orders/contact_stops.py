"""Request and response bodies of the routes of contact stops."""

from typing import Literal, Self

from pydantic import Field, model_validator

from schemas.access.person import PersonName
from schemas.core.form import Answered, Moment, Sent, Succeeded, Text
from schemas.orders.contact import Channel


class StopView(Answered):
    """An emergency stop."""

    stop_id: str
    channel: Channel | None
    """Null for every channel."""
    region: str | None
    """Holds for orders whose `metadata.region` begins so, endings such as 市 aside; null for every order.

    An order that names no region is held by stops without one only.
    """
    reason: str
    stopped_by: str
    stopped_at: Moment
    lifted_at: Moment | None
    """Null while it holds."""
    lifted_by: str | None


class StopList(Answered):
    """Stops, the newest first."""

    stops: list[StopView]


class StopRaised(Sent):
    """Whom to stop contacting, and why."""

    reason: Text = Field(min_length=1, max_length=500)
    channel: Channel | None = None
    """Only this channel; every channel when not named."""
    region: Text | None = Field(default=None, min_length=1, max_length=64)
    """Only orders whose `metadata.region` begins so, endings such as 市 aside; every order when not named."""
    by: PersonName | None = None
    """A label beside the key; who does it is the key's owner."""

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.reason.strip():
            raise ValueError("reason must say why")
        if self.region is not None and not self.region.strip():
            raise ValueError("region must name one; leave it out for every region")
        return self


class StopLifted(Sent):
    """Who lifts it."""

    by: PersonName | None = None
    """A label beside the key; who does it is the key's owner."""


class StopTaken(Succeeded):
    """A stop, or its end, that stands."""

    outcome: Literal["applied", "repeated"]
    """`repeated` when it was so before."""
    stop: StopView


class StopStands(StopTaken):
    """A stop that stands, and how far it reaches."""

    orders_held: int
    """Open orders that it holds at this moment; later ones of its scope are held as well."""
    orders_open: int
    """Open orders at this moment, held or not."""
    orders_without_region: int
    """Open orders that name no region: a stop of a region does not hold them."""
