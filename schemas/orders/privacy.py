"""Request and response bodies of the routes about personal data."""

from typing import Any, Literal, Self

from pydantic import Field, model_validator

from schemas.core.form import Remark, Sent, Succeeded, Text
from schemas.core.identifier import Identifier

RevealField = Literal["phone", "transcript", "metadata"]


class RevealAsked(Sent):
    """What is to be seen in clear, and why."""

    field: RevealField
    contact_id: Identifier | None = None
    """Of a transcript: which contact; the last in which the customer said something, when not named."""
    reason: Remark = Field(min_length=1, max_length=500)
    """Why; the order's audit log keeps it, with who asked."""


class RevealMade(Succeeded):
    """The value in clear; its reader has it from here on."""

    task_id: str
    field: RevealField
    contact_id: str | None
    value: str | dict[str, Any] = Field(repr=False)
    """Of `metadata` its personal fields, each at its place; in lists, null stands for what holds none."""


class ErasureAsked(Sent):
    """Whom to forget."""

    customer_id: Text | None = Field(default=None, min_length=1, max_length=64)
    """As upstream names the customer in `metadata.customer_id`."""
    phone: Text | None = Field(default=None, min_length=1, max_length=32, repr=False)
    """Every order with this number, whoever it belongs to."""
    cancel: bool = Field(default=False, strict=True)
    """Cancel the customer's open orders first; without it they answer 409."""
    dry_run: bool = Field(default=False, strict=True)
    """Only name the orders; nothing is changed."""

    @model_validator(mode="after")
    def _somebody(self) -> Self:
        if self.customer_id is None and self.phone is None:
            raise ValueError("customer_id or phone must be given")
        return self


class ErasureMade(Succeeded):
    """The customer is forgotten."""

    task_ids: list[str]
    """The orders that what was known was removed from."""
    cancelled: list[str]
    rows: dict[str, int]
    """Rows that were blanked, by kind."""


class RetentionAsked(Sent):
    """Whether to remove what is due, or only to count it."""

    dry_run: bool = Field(default=False, strict=True)


class RetentionMade(Succeeded):
    """What was removed, or is due."""

    rows: dict[str, int]
    """By kind."""
    days: dict[str, int]
    """How long each kind is kept."""


class ReencryptionMade(Succeeded):
    """What was written anew; with nothing left, the former keys are of no use any more."""

    written: dict[str, int]
    """Values, by table and column."""
    left: dict[str, int]
    """What former keys encrypted still, by table and column."""
    unreadable: int
    """How many of these no key opens."""
    marks: dict[str, int]
    """Blind indexes of numbers that were written anew, by table."""
    marks_left: dict[str, int]
    """Those that need a former index key still, by table."""
