"""What every messenger's callback is read to: who pressed what, who wrote what, or why it counts for nothing."""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, Protocol

OLDEST_SECONDS: Final = 300.0
"""How far the signed moment of a callback may lie from now, either way (CONSOLE.md §7)."""
ANSWER: Final = "answer"
"""The name under which a button of a card carries its value."""
_LONGEST_ID: Final = 128


class ImProviderName(StrEnum):
    """The messengers, by the names in their addresses."""

    FEISHU = "feishu"
    WECOM = "wecom"
    DINGTALK = "dingtalk"


class CallbackFault(StrEnum):
    """Why a callback counts for nothing."""

    NOT_SIGNED = "it is not signed by the messenger's app: check its secrets on both sides"
    TOO_OLD = "it was signed more than 5 minutes from now: an old one is repeated, or a clock is wrong"
    FOREIGN = "it is of another company, or of another app"
    NOT_READABLE = "it is signed, and not in the form that the messenger describes"


@dataclass(frozen=True, slots=True)
class ImRequest:
    """A callback as it came."""

    headers: Mapping[str, str]
    query: Mapping[str, str]
    body: bytes = field(repr=False)
    now: float


@dataclass(frozen=True, slots=True)
class ImReply:
    """What the messenger is answered."""

    body: str
    media_type: str = "application/json"


@dataclass(frozen=True, slots=True)
class CardPressed:
    """Somebody pressed a button of a card."""

    event_id: str
    """Names the press: the same one that comes again has the same."""
    operator_id: str
    """Who pressed, as the messenger names them."""
    value: str
    """What the button carries."""
    reply_to: Mapping[str, str] = field(default_factory=dict)
    """What the answer must repeat."""


@dataclass(frozen=True, slots=True)
class MessageWritten:
    """Somebody wrote to the bot."""

    operator_id: str
    words: str = field(repr=False)
    reply_to: Mapping[str, str] = field(default_factory=dict)


ImReading = CardPressed | MessageWritten | ImReply | CallbackFault
"""What a callback comes to; an `ImReply` where it is answered as it stands and means nothing further."""


class ImReader(Protocol):
    """Reads the callbacks of one messenger, and words its answers."""

    def read(self, request: ImRequest) -> ImReading:
        """Verify a callback, and say what it is."""

    def greet(self, request: ImRequest) -> ImReply | CallbackFault | None:
        """The answer by which the address proves to be ours where it is asked for with GET; `None` where it is not."""

    def answer_press(self, pressed: CardPressed, text: str, *, is_settled: bool) -> ImReply:
        """Show this on the card; where the question is settled, without its buttons."""

    def answer_message(self, written: MessageWritten, text: str | None) -> ImReply:
        """Write this to whoever wrote, where the answer of a callback can; `None`: nothing."""


def is_recent(moment: float, now: float) -> bool:
    """Whether a signed moment (Unix seconds) is recent enough."""
    return abs(now - moment) <= OLDEST_SECONDS


def seconds_of(written: object, *, per_second: int = 1) -> float | None:
    """The moment that digits are, of which so many make a second; `None` where they are none."""
    digits = str(written) if isinstance(written, str | int) and not isinstance(written, bool) else ""
    return int(digits) / per_second if digits.isascii() and digits.isdigit() and len(digits) <= 20 else None  # noqa: PLR2004 - more than any clock


def is_same(given: str, expected: str) -> bool:
    """Whether two texts are the same, in a time that does not say where they differ."""
    return hmac.compare_digest(given.encode(), expected.encode())


def id_in(document: Mapping[str, object], *path: str) -> str | None:
    """The identifier at this path; `None` where there is none that can be kept."""
    found = at(document, *path)
    is_id = isinstance(found, str) and 0 < len(found) <= _LONGEST_ID and found.isprintable()
    return found if is_id and isinstance(found, str) else None


def at(document: object, *path: str) -> object:
    """What stands at this path of nested objects; `None` where nothing does."""
    for name in path:
        document = document.get(name) if isinstance(document, Mapping) else None
    return document
