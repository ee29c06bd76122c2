"""What waits for people as a part of the API."""

from types import MappingProxyType
from typing import Final

from api.people import alerts, cards, im_callbacks, interrupts, rejects, reviews, worklist
from api.server.refusal import Refusal, invalid
from api.server.registration import Registration
from runtime.mask import mask_text
from tasks.people.answers import InvalidAnswer


def _of_answer(error: InvalidAnswer) -> Refusal:
    return invalid([(mask_text(each.field), each.message) for each in error.problems])


PEOPLE: Final = Registration(
    tags=MappingProxyType(
        {
            "people": "What waits for a person: questions of runs to be answered, alerts to be handled.",
            "intake": "Orders that were refused: looked at, corrected and replayed, or dismissed.",
        }
    ),
    keyed=(reviews.router, worklist.router, interrupts.router, cards.router, alerts.router, rejects.router),
    # A callback proves itself by its signature.
    open=(im_callbacks.router,),
    faults=MappingProxyType({InvalidAnswer: _of_answer}),
    largest_bodies=MappingProxyType({rejects.router.prefix: rejects.LARGEST_KEPT_BODY}),
)
