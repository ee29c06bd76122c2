"""A customer's number as it came, as it is stored, shown and found."""

import re
from dataclasses import dataclass, field
from typing import Final

from runtime.blind_index import BlindIndex
from runtime.mask import OwnNumber, mask_phone
from runtime.phone import normalise

_MASKED: Final = re.compile(r"^\d{3}\*+\d{2,4}$")


@dataclass(frozen=True, slots=True)
class CustomerNumber:
    """A number that came with an order.

    Attributes:
        stored: E.164; as it came where it is masked or no number.
        shown: Masked.
        index: Its blind index; None where it is masked or no number, so nothing can be counted or barred by it.
    """

    stored: str = field(repr=False)
    shown: str
    index: bytes | None = field(repr=False)


def customer_number(text: str, blind_index: BlindIndex) -> CustomerNumber:
    """The number that upstream wrote as `text`."""
    phone = normalise(text)
    if phone is not None:
        return CustomerNumber(phone.e164, phone.masked(), blind_index.mark(phone))
    return CustomerNumber(text, text if "*" in text else mask_phone(text), None)


def own_number(stored: str) -> OwnNumber:
    """The number of an order that stores `stored`, to be hidden wherever it is written."""
    phone = normalise(stored)
    return OwnNumber(stored, mask_phone(stored) if phone is None else phone.masked())


def callable_number(text: str | None, *, masked: bool) -> bool:
    """Whether the customer can be reached by this number, given whether a masked one is of any use."""
    if text is None:
        return False
    return normalise(text) is not None or (masked and bool(_MASKED.match(text)))


def same_number(stored: str | None, given: str) -> bool:
    """Whether `given`, written in any form or masked, is the number of an order that stores `stored`."""
    if stored is None:
        return False
    phone = normalise(given)
    if phone is not None:
        return phone.e164 == stored
    own = normalise(stored)
    return given in (stored, mask_phone(stored), *(() if own is None else (own.masked(),)))
