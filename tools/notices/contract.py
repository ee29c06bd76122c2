"""The interface of a provider of staff notices, and the meaning of each outcome (SPEC.md §3)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from runtime.mask import mask_text

DEADLINE_SECONDS: Final = 3.0
"""What one notice may take in all, a token fetched for it included (SPEC.md §3, notify_engineer)."""

_LONGEST_BYTES: Final = 2000
"""WeCom takes 2048 bytes, the others more."""


@dataclass(frozen=True, slots=True)
class NoticeButton:
    """A button of a card: what it says, and what it carries under the name `answer`."""

    label: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One message to a member of staff or to a group of them.

    Attributes:
        key: The same in every try; providers that can, send one message for it.
        to: Whom, as the provider names them; empty for a bot, which speaks in its own group.
        is_card: Whether `to` is an account of a person and the notice a card.
        buttons: Those of the card; none where the question takes more than a press.
        title: The first line.
        text: What follows it.
        trace_id: What it is found by in everything else that followed from the same request; the last line.
    """

    key: str
    to: str
    title: str
    text: str
    trace_id: str
    is_card: bool = False
    buttons: Sequence[NoticeButton] = ()

    @property
    def words(self) -> str:
        """The text that is sent: phone numbers masked, at most 2000 bytes, without a mention of the whole group."""
        # Feishu reads <at user_id="all"> in plain text; a customer's words may hold it.
        shown = mask_text(f"{self.title}\n{self.text}").replace("<", "＜").encode()
        trace = f"\n追踪 {self.trace_id}"
        room = _LONGEST_BYTES - len(trace.encode())
        if len(shown) <= room:
            return shown.decode() + trace
        return shown[: room - 3].decode(errors="ignore") + "…" + trace


@dataclass(frozen=True, slots=True)
class NoticeSent:
    """The provider accepted it; `provider_id` is empty where it gives none."""

    provider_id: str


@dataclass(frozen=True, slots=True)
class NoticeNotSent:
    """It was not sent; another try may succeed, after `retry_after_seconds` where the provider asks for it."""

    reason: str
    retry_after_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class NoticeRefused:
    """It was not sent, and cannot be before the configuration is changed: a secret, a group, a keyword."""

    reason: str


@dataclass(frozen=True, slots=True)
class NoticeUnclear:
    """It is not known whether it was sent."""

    reason: str


NoticeFailure = NoticeNotSent | NoticeRefused | NoticeUnclear
NoticeOutcome = NoticeSent | NoticeFailure


class NoticeGateway(Protocol):
    """Sends notices; safe to share between threads. No reason and no `repr` holds a secret or a number."""

    def send(self, notice: Notice) -> NoticeOutcome:
        """Send one notice, within `DEADLINE_SECONDS`."""
        ...

    def close(self) -> None:
        """Close the pooled connections."""
        ...
