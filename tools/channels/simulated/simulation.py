"""Reactions of a simulated customer in one attempt: from a script's entry, as each channel reports them."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from schemas.orders.contact import Channel, ContactResult

_LONGEST_TRANSCRIPT: Final = 2_000
_LONGEST_DELAY_SECONDS: Final = 86_400.0
_FIELDS: Final = frozenset({"result", "transcript", "delay_seconds", "fault"})
_SHORTEST_CALL_SECONDS: Final = 20
_CALL_SPREAD_SECONDS: Final = 160
_REPLIED: Final = "replied"
"""What providers of SMS and IM call an answer."""


class ScriptError(Exception):
    """An entry of `metadata.simulation` is invalid; the message names the field."""

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"simulation, field {field!r}: {problem}")
        self.field = field


@dataclass(frozen=True, slots=True)
class Reaction:
    """The customer's reaction in one attempt.

    Attributes:
        result: What comes of a call; `results_on` says what it means on other channels.
        transcript: The customer's words when they answer.
        delay_seconds: From the accepted request to the result.
        fault: What the provider does wrong, for the simulator to read; None for nothing.
    """

    result: ContactResult
    transcript: str = field(default="", repr=False)
    delay_seconds: float = 0.0
    fault: object = None


def parse_entry(entry: Mapping[str, object]) -> Reaction:
    """Parse and check one script entry: `{"result", "transcript"?, "delay_seconds"?, "fault"?}`.

    Raises:
        ScriptError: A field is unknown, missing or of a wrong value.
    """
    unknown = sorted(set(entry) - _FIELDS)
    if unknown:
        raise ScriptError(unknown[0], f"is unknown; known are {', '.join(sorted(_FIELDS))}")
    result = entry.get("result")
    if result == _REPLIED:
        result = ContactResult.ANSWERED
    if not isinstance(result, str) or result not in tuple(ContactResult):
        raise ScriptError("result", f"must be one of {', '.join((*ContactResult, _REPLIED))}")
    transcript = entry.get("transcript", "")
    if not isinstance(transcript, str) or len(transcript) > _LONGEST_TRANSCRIPT:
        raise ScriptError("transcript", f"must be text of at most {_LONGEST_TRANSCRIPT} characters")
    delay = entry.get("delay_seconds", 0)
    if (
        isinstance(delay, bool)
        or not isinstance(delay, int | float)
        or not 0 <= delay <= _LONGEST_DELAY_SECONDS
    ):
        raise ScriptError("delay_seconds", f"must be a number from 0 to {_LONGEST_DELAY_SECONDS:g}")
    return Reaction(ContactResult(result), transcript, float(delay), entry.get("fault"))


_ON_TEXT: Final[Mapping[ContactResult, tuple[ContactResult, ...]]] = {
    ContactResult.ANSWERED: (ContactResult.DELIVERED, ContactResult.ANSWERED),
    ContactResult.EXPIRED: (ContactResult.DELIVERED, ContactResult.EXPIRED),
    ContactResult.UNDELIVERED: (ContactResult.UNDELIVERED,),
    ContactResult.INVALID_NUMBER: (ContactResult.UNDELIVERED,),
    ContactResult.SUSPENDED_NUMBER: (ContactResult.UNDELIVERED,),
}
_ON_PHONE: Final[Mapping[ContactResult, ContactResult]] = {
    ContactResult.DELIVERED: ContactResult.NO_ANSWER,
    ContactResult.UNDELIVERED: ContactResult.NO_ANSWER,
}


def results_on(channel: Channel, result: ContactResult) -> tuple[ContactResult, ...]:
    """Return the results that the provider reports on this channel, in order.

    A script has an entry an attempt while the contact policy chooses the attempt's channel, so every entry
    means something on each: a text that nobody answers is delivered and no more; it reaches no dead number.
    """
    if channel is Channel.PHONE:
        return (_ON_PHONE.get(result, result),)
    return _ON_TEXT.get(result, (ContactResult.DELIVERED,))


def provider_id_of(key: str) -> str:
    """Return the simulated provider's id of a contact: the same for the same key."""
    return f"sim_{hashlib.blake2b(key.encode(), digest_size=12).hexdigest()}"


def words(reaction: Reaction, result: ContactResult) -> str:
    """Return the customer's words for a result."""
    return reaction.transcript if result is ContactResult.ANSWERED else ""


def duration(channel: Channel, key: str, result: ContactResult) -> int | None:
    """Return the length of a call in seconds, the same for the same key; None for text messages."""
    if channel is not Channel.PHONE:
        return None
    if result is not ContactResult.ANSWERED:
        return 0
    return (
        _SHORTEST_CALL_SECONDS
        + hashlib.blake2b(key.encode(), digest_size=1).digest()[0] % _CALL_SPREAD_SECONDS
    )
