"""What the routes about personal data are sent and answer."""

from typing import Literal, Self

from pydantic import ConfigDict, Field, model_validator

from schemas.core.form import Remark, Sent, Succeeded, Text
from schemas.orders.intake import Identifier


class RevealAsked(Sent):
    """What is to be seen in clear, and why."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra={
            "examples": [
                {"field": "phone", "reason": "客户要求人工回电"},
                {
                    "field": "transcript",
                    "contact_id": "CONT199f2c4a1b3c5d7e9f1a2b3c4",
                    "reason": "投诉核查",
                },
            ]
        },
    )

    field: Literal["phone", "transcript"]
    contact_id: Identifier | None = None
    """Of a transcript: which contact; the last in which the customer said something, when not named."""
    reason: Remark = Field(min_length=1, max_length=500)
    """Why; the order's audit log keeps it, with who asked."""


class RevealMade(Succeeded):
    """The value in clear; its reader has it from here on."""

    model_config = ConfigDict(
        frozen=True,
        json_schema_extra={
            "examples": [
                {
                    "success": True,
                    "task_id": "HT20260313001",
                    "field": "transcript",
                    "contact_id": "CONT199f2c4a1b3c5d7e9f1a2b3c4",
                    "value": "配件还没到，等配件到了再说",
                }
            ]
        },
    )

    task_id: str
    field: Literal["phone", "transcript"]
    contact_id: str | None
    value: str = Field(repr=False)


class ErasureAsked(Sent):
    """Whom to forget."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra={"examples": [{"customer_id": "CUST001", "cancel": True}]},
    )

    customer_id: Text | None = Field(default=None, min_length=1, max_length=64)
    """As upstream names the customer in `metadata.customer_id`."""
    phone: Text | None = Field(default=None, min_length=1, max_length=32, repr=False)
    """Every order with this number, whoever it belongs to."""
    cancel: bool = False
    """Cancel the customer's open orders first; without it they answer 409."""
    dry_run: bool = False
    """Only name the orders; nothing is changed."""

    @model_validator(mode="after")
    def _somebody(self) -> Self:
        if self.customer_id is None and self.phone is None:
            raise ValueError("customer_id or phone must be given")
        return self


class ErasureMade(Succeeded):
    """The customer is forgotten."""

    model_config = ConfigDict(
        frozen=True,
        json_schema_extra={
            "examples": [
                {
                    "success": True,
                    "task_ids": ["HT20260313001"],
                    "cancelled": ["HT20260313001"],
                    "rows": {"orders": 1, "contacts": 2, "callbacks": 2},
                }
            ]
        },
    )

    task_ids: list[str]
    """The orders that what was known was removed from."""
    cancelled: list[str]
    rows: dict[str, int]
    """Rows that were blanked, by kind."""


class RetentionAsked(Sent):
    """Whether to remove what is due, or only to count it."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, json_schema_extra={"examples": [{"dry_run": True}]}
    )

    dry_run: bool = False


class RetentionMade(Succeeded):
    """What was removed, or is due."""

    model_config = ConfigDict(
        frozen=True,
        json_schema_extra={
            "examples": [{"success": True, "rows": {"transcripts": 12}, "days": {"transcripts": 180}}]
        },
    )

    rows: dict[str, int]
    """By kind."""
    days: dict[str, int]
    """How long each kind is kept."""


class ReencryptionMade(Succeeded):
    """What was written anew; with nothing left, the former keys are of no use any more."""

    model_config = ConfigDict(
        frozen=True,
        json_schema_extra={
            "examples": [{"success": True, "written": {"tasks.phone": 240}, "left": {}, "unreadable": 0}]
        },
    )

    written: dict[str, int]
    """Values, by table and column."""
    left: dict[str, int]
    """What former keys encrypted still, by table and column."""
    unreadable: int
    """How many of these no key opens."""
