"""A contact with a customer; the customer's words are encrypted."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from runtime.cipher import Cipher, SealedText

_WORDS: Final = frozenset({"transcript", "user_feedback"})
"""The columns that hold what was said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewContact:
    """An attempt that is about to be made."""

    contact_id: str
    task_id: str
    method: str
    contact_time: datetime
    key: str
    round: int
    contact_no: int
    step_id: int
    script_id: str
    script_version: str | None = None
    """The version of the script; `None` where an outside agent spoke words of its own."""
    phone_index: bytes | None = field(default=None, repr=False)
    """The blind index of the number; `None` where it is masked or there is none."""


@dataclass(frozen=True, slots=True)
class Contact:
    """A contact as it stands, made by position where rows are read, many at a time."""

    sealed_transcript: SealedText | None
    sealed_feedback: SealedText | None
    contact_id: str
    task_id: str
    contact_method: str
    contact_result: str
    duration_seconds: int | None
    recording_url: str | None
    contact_time: datetime
    key: str
    round: int
    contact_no: int
    step_id: int
    status: str
    provider_id: str | None
    created_at: datetime
    direction: str
    """`inbound` when the customer turned to us: no attempt, and no step's."""
    script_id: str | None
    script_version: str | None
    """The script that the customer was told, and its version; an outside agent's own words have none."""
    age_seconds: float
    """How long ago the intent to send was committed."""

    @property
    def transcript(self) -> str | None:
        """What the customer said, in clear; see `Sealed.open`."""
        return self.sealed_transcript.open() if self.sealed_transcript else None

    @property
    def user_feedback(self) -> str | None:
        """What the customer wants, in an agent's words, in clear; see `Sealed.open`."""
        return self.sealed_feedback.open() if self.sealed_feedback else None


@dataclass(frozen=True, slots=True, kw_only=True)
class InboundContact:
    """A contact made by the customer; `key` is unique."""

    contact_id: str
    task_id: str
    method: str
    words: str = field(repr=False)
    contact_time: datetime
    key: str
    round: int


@dataclass(frozen=True, slots=True)
class Intended:
    """The committed intent of one attempt; `fresh`: written by this transaction, so nothing was sent yet."""

    contact: Contact
    fresh: bool


@dataclass(frozen=True, slots=True)
class PastContact:
    """What the contact policy must know of an earlier attempt."""

    at: datetime
    method: str
    result: str


def contact_of(row: Iterable[Any], cipher: Cipher) -> Contact:
    """The contact in a row; nothing is decrypted."""
    transcript, feedback, contact_id, *further = row
    return Contact(
        None if transcript is None else SealedText(transcript, place_of("transcript", contact_id), cipher),
        None if feedback is None else SealedText(feedback, place_of("user_feedback", contact_id), cipher),
        contact_id,
        *further,
    )


def sealed(columns: Sequence[str], values: Sequence[Any], cipher: Cipher) -> tuple[object, ...]:
    """These columns of one contact, its id the first, with what was said encrypted."""
    return tuple(
        cipher.seal_text(value, place_of(column, values[0])) if value and column in _WORDS else value
        for column, value in zip(columns, values, strict=True)
    )


def place_of(column: str, contact_id: str) -> str:
    """What the words in a column of this contact are bound to."""
    return f"contact_logs.{column}.{contact_id}"
