"""Signals to a task: typed, in one form for every sender (SPEC.md §2, §6)."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final, Literal


class SignalType(StrEnum):
    """The types of signals; the value is what the wire holds."""

    PART_ARRIVED = "part_arrived"
    PHONE_CHANGED = "phone_changed"
    PRIORITY_CHANGED = "priority_changed"
    ORDER_CANCELLED = "order_cancelled"
    CUSTOMER_CALLED = "customer_called"
    CONTINUE = "continue"


@dataclass(frozen=True, slots=True, kw_only=True)
class PartArrived:
    """The part that an order waited for is there."""

    part: str | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PhoneChanged:
    """The customer is reached by another number; in clear, never shown."""

    phone: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class PriorityChanged:
    """The order is more, or less, urgent: 1 to 10, 10 most urgent."""

    priority: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelledUpstream:
    """The order was cancelled where it came from."""

    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerCalled:
    """The customer turned to us: what they said, by which channel, and when."""

    words: str = field(repr=False)
    channel: Literal["phone", "im", "sms"] = "phone"
    at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Continue:
    """A wait of a run is over; `output` is what the wait came to."""

    step: str
    output: Mapping[str, Any] = field(default_factory=dict)


Said = PartArrived | PhoneChanged | PriorityChanged | CancelledUpstream | CustomerCalled | Continue

_TYPES: Final[Mapping[type[Said], SignalType]] = MappingProxyType(
    {
        PartArrived: SignalType.PART_ARRIVED,
        PhoneChanged: SignalType.PHONE_CHANGED,
        PriorityChanged: SignalType.PRIORITY_CHANGED,
        CancelledUpstream: SignalType.ORDER_CANCELLED,
        CustomerCalled: SignalType.CUSTOMER_CALLED,
        Continue: SignalType.CONTINUE,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """One signal to one task; its id tells a repetition from another signal."""

    signal_id: str
    said: Said
    sent_by: str
    at: datetime | None = None
    """When it happened, where the sender says so."""
    request_id: str | None = None
    reason: str | None = None
    """Why a person sends it; history keeps it, and it tells no signal from another."""

    @property
    def type(self) -> SignalType:
        """The type of what it says."""
        return _TYPES[type(self.said)]

    def body(self) -> str:
        """The signal as canonical JSON: equal for equal meaning, whoever sends it. Holds what the customer said."""
        body = {"type": self.type, "at": self.at, "data": asdict(self.said)}
        return json.dumps(body, default=_plain, ensure_ascii=False, sort_keys=True, separators=(",", ":"))

    def digest(self) -> bytes:
        """What tells this body from another under the same signal_id."""
        return hashlib.sha256(self.body().encode()).digest()


def _plain(value: object) -> str:
    """The same moment may be written in any zone."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    raise TypeError(f"a {type(value).__name__} is not part of a signal")
