"""Cards: the buttons that a question is shown with in a messenger (CONSOLE.md §7)."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from storage.core.database import Database
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


def buttons_of(
    database: Database, forms: TaskForms, tokens: CardTokens, interrupt_id: str
) -> list[CardButton]:
    """A button for each answer to an open question that takes no word of the person; none for any other question."""
    with database.transaction() as work:
        review = Reviews(work).find(interrupt_id)
        if review is None or review.state != "open":
            return []
        form = forms.form_of(work, review)
        offered, seen = form.ready_answers(work, review), form.seen(work, review)
        expires_at = int((BusinessClock(work).now().database_now + CARD_LASTS).timestamp())
    return [
        CardButton(
            ready.label,
            tokens.make(
                CardChoice(
                    interrupt_id=interrupt_id,
                    payload=ready.payload,
                    label=ready.label,
                    seen=seen,
                    expires_at=expires_at,
                )
            ),
        )
        for ready in offered
    ]
