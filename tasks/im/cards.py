"""Cards: the buttons that a question is shown with in a messenger (CONSOLE.md §7)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from storage.core.database import Database
from storage.core.unit_of_work import UnitOfWork
from storage.engine.clock import BusinessClock
from storage.people.reviews import Reviews
from tasks.forms import TaskForms
from tasks.im.tokens import CardChoice, CardTokens

CARD_LASTS: Final = timedelta(hours=24)
"""How long the buttons of a card answer."""


@dataclass(frozen=True, slots=True)
class CardButton:
    """What a button says, and what it carries."""

    label: str
    value: str


@dataclass(frozen=True, slots=True)
class QuestionCard:
    """The buttons of a question, and until when they answer."""

    buttons: Sequence[CardButton]
    expires_at: datetime


def card_of(
    database: Database, forms: TaskForms, tokens: CardTokens, interrupt_id: str
) -> QuestionCard | None:
    """A button for each answer to an open question that takes no word of the person; `None` for no question."""
    with database.transaction() as work:
        return card_within(work, forms, tokens, interrupt_id)


def card_within(
    work: UnitOfWork, forms: TaskForms, tokens: CardTokens, interrupt_id: str
) -> QuestionCard | None:
    """The same, as a part of this transaction."""
    review = Reviews(work).find(interrupt_id)
    if review is None:
        return None
    form = forms.form_of(work, review)
    ready = form.ready_answers(work, review) if review.state == "open" else ()
    seen = form.seen(work, review)
    expires_at = (BusinessClock(work).now().database_now + CARD_LASTS).replace(microsecond=0)

    buttons = [
        CardButton(
            each.label,
            tokens.make(
                CardChoice(
                    interrupt_id=interrupt_id,
                    payload=each.payload,
                    label=each.label,
                    seen=seen,
                    expires_at=int(expires_at.timestamp()),
                )
            ),
        )
        for each in ready
    ]
    return QuestionCard(buttons, expires_at)
