"""Cards of questions, for tests: their buttons, and what a press of one comes to."""

import time
from dataclasses import dataclass
from typing import Any

from schemas.people.cards import CardButtonView, InterruptCard
from storage.people.reviews import Review, Reviews
from tests.support.api.client import ApiClient
from tests.support.engine.general_runs import begin
from tests.support.messengers.contract import Messenger, Sent
from tests.support.questions import questions_of

LATE = 301.0
"""Seconds after which a callback is too old."""


@dataclass(frozen=True, slots=True)
class Card:
    """An open question, and its buttons."""

    review_id: str
    buttons: list[CardButtonView]

    def value(self, label: str) -> str:
        """What the button carries that says this."""
        (found,) = (each.value for each in self.buttons if each.label == label)
        return found


def asked(api: ApiClient) -> Card:
    """A card of the question of a new run; its answers are `yes` and `no`."""
    (run_id,) = begin(api.house, "one_question")
    return card_of(api, questions_of(api.house, run_id)["ask"].review_id)


def card_of(api: ApiClient, review_id: str) -> Card:
    """The card of a question."""
    shown = InterruptCard.model_validate(api.get(f"/interrupts/{review_id}/card", "wangfang").json())
    return Card(review_id, shown.buttons)


def post(api: ApiClient, messenger: Messenger, sent: Sent) -> Any:
    """What the installation answers to a callback."""
    return api.post(f"/im/{messenger.name}/callback", None, **sent.options)


def press(
    api: ApiClient,
    messenger: Messenger,
    value: str,
    login: str = "wangfang",
    *,
    event: int = 1,
    age: float = 0.0,
) -> Any:
    """What is answered when somebody presses a button."""
    return post(api, messenger, messenger.pressed(value, f"im-{login}", at=time.time() - age, event=event))


def question(api: ApiClient, card: Card) -> Review:
    """The question as it stands."""
    with api.house.database.transaction() as work:
        found = Reviews(work).find(card.review_id)
    assert found is not None
    return found


def decided(api: ApiClient, card: Card) -> tuple[str, str | None, str | None]:
    """Whether it is decided, by whom, and how."""
    found = question(api, card)
    return found.state, found.decided_by, (found.decision or {}).get("decision")
