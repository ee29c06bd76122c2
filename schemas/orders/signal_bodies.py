"""The bodies of signals to a task over HTTP, and their answers (SPEC.md §6)."""

from collections.abc import Callable, Mapping
from typing import Annotated, Any, Final, Literal, get_args

from pydantic import AfterValidator, AliasChoices, Discriminator, Field, WrapValidator

from schemas.core.form import GivenMoment, Sent, Succeeded, Text, storable_object
from schemas.core.whole_number import WholeNumber
from schemas.orders.signals import (
    CancelledUpstream,
    Continue,
    CustomerCalled,
    PartArrived,
    PhoneChanged,
    PriorityChanged,
    Said,
    SignalType,
)

SignalId = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9][A-Za-z0-9_.:-]*$")]
"""What names a signal of a task."""


def _spoken(words: str) -> str:
    if not words.strip():
        raise ValueError("holds no word")
    return words


class _Signal(Sent):
    """What every signal has."""

    signal_id: SignalId | None = None
    """Names this signal, so that it may be sent again: the same body is answered as before. Made when absent."""
    at: GivenMoment | None = None
    """When it happened; now when absent."""


class PartArrivedData(Sent):
    """Which part came."""

    part: Text | None = Field(default=None, min_length=1, max_length=64)
    note: Text | None = Field(default=None, min_length=1, max_length=500)


class PartArrivedSent(_Signal):
    """The part an order waited for is there: the customer is contacted at the next permitted time."""

    type: Literal["part_arrived"]
    data: PartArrivedData = PartArrivedData()

    def said(self) -> Said:
        """The signal without its form over HTTP."""
        return PartArrived(part=self.data.part, note=self.data.note)


class PhoneChangedData(Sent):
    """The customer's new number."""

    phone: Text = Field(min_length=1, max_length=32, repr=False)
    """A number that can be called, as `task.created` takes it."""


class PhoneChangedSent(_Signal):
    """The customer is reached by another number; an order that waited for one goes on."""

    type: Literal["phone_changed"]
    data: PhoneChangedData

    def said(self) -> Said:
        """The signal without its form over HTTP."""
        return PhoneChanged(phone=self.data.phone)


class PriorityChangedData(Sent):
    """The order's new priority."""

    priority: WholeNumber = Field(ge=1, le=10)
    """10 is most urgent."""


class PriorityChangedSent(_Signal):
    """The order is more, or less, urgent than it was."""

    type: Literal["priority_changed"]
    data: PriorityChangedData

    def said(self) -> Said:
        """The signal without its form over HTTP."""
        return PriorityChanged(priority=self.data.priority)


class OrderCancelledData(Sent):
    """Why it was cancelled."""

    reason: Text | None = Field(default=None, min_length=1, max_length=500)


class OrderCancelledSent(_Signal):
    """The order was cancelled upstream: it ends, whatever it waits for."""

    type: Literal["order_cancelled"]
    data: OrderCancelledData = OrderCancelledData()

    def said(self) -> Said:
        """The signal without its form over HTTP."""
        return CancelledUpstream(reason=self.data.reason)


class CustomerCalledData(Sent):
    """What the customer said, and how."""

    words: Annotated[Text, AfterValidator(_spoken)] = Field(
        min_length=1, max_length=2000, repr=False, validation_alias=AliasChoices("words", "user_input")
    )
    """The customer's words; `user_input` is taken as well."""
    channel: Literal["phone", "im", "sms"] = "phone"
    at: GivenMoment | None = None
    """When; the signal's own `at` when absent."""


class CustomerCalledSent(_Signal):
    """The customer turned to us: their words are understood as the answer to a contact would be."""

    type: Literal["customer_called"]
    data: CustomerCalledData

    def said(self) -> Said:
        """The signal without its form over HTTP."""
        return CustomerCalled(words=self.data.words, channel=self.data.channel, at=self.data.at or self.at)


class ContinueData(Sent):
    """Which wait is over, and what it came to."""

    step: Text = Field(min_length=1, max_length=64)
    """The step's id in the workflow's definition; of type `wait`."""
    output: Annotated[dict[str, Any], AfterValidator(storable_object)] = Field(default_factory=dict)
    """The input of what follows."""


class ContinueSent(_Signal):
    """A wait of a run ends now rather than at its time."""

    type: Literal["continue"]
    data: ContinueData

    def said(self) -> Said:
        """The signal without its form over HTTP."""
        return Continue(step=self.data.step, output=self.data.output)


_Any = (
    PartArrivedSent
    | PhoneChangedSent
    | PriorityChangedSent
    | OrderCancelledSent
    | CustomerCalledSent
    | ContinueSent
)
_FORMS: Final[Mapping[str, type[_Signal]]] = {
    get_args(form.model_fields["type"].annotation)[0]: form for form in get_args(_Any)
}


def _read(value: Any, tell_apart: Callable[[Any], _Any]) -> Any:
    # Read as the form it names, so that an error names the fields as they were sent, and not the form before them.
    named = value.get("type") if isinstance(value, dict) else None
    form = _FORMS.get(named) if isinstance(named, str) else None
    return tell_apart(value) if form is None else form.model_validate(value)


SignalSent = Annotated[_Any, Discriminator("type"), WrapValidator(_read)]
"""Any signal; `type` tells them apart."""


class SignalTaken(Succeeded):
    """A signal that was taken, and what it did."""

    signal_id: str
    task_id: str
    type: SignalType
    outcome: Literal["applied", "noted", "repeated"]
    """`noted` when it is kept and changes nothing; `repeated` when it was taken before, with that answer."""
    status: str
    """The order's state after it; the lifecycle of a run without an order."""
    effect: str
    """What it did, in words."""
