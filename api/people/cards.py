"""The route of a question's card: its buttons, for whoever sends cards to people's messengers."""

from typing import Annotated

from fastapi import APIRouter, Path, Response

from api.server.authentication import requires
from api.server.errors import documented
from api.server.refusal import unknown
from api.server.route import Route
from api.server.services import GivenParts
from api.task_intake import GivenIntake
from schemas.access.scopes import Scope
from schemas.core.error import Code
from schemas.core.identifier import Identifier
from schemas.people.cards import CardButtonView, InterruptCard
from tasks.im.cards import card_of
from tasks.im.tokens import CardTokens

router = APIRouter(prefix="/interrupts", tags=["people"], route_class=Route)


@router.get(
    "/{interrupt_id}/card",
    summary="The buttons of a question in a messenger",
    dependencies=[requires(Scope.REVIEWS)],
    responses=documented(Code.NOT_FOUND),
)
def show_card(
    interrupt_id: Annotated[Identifier, Path(description="The interrupt's id.")],
    parts: GivenParts,
    intake: GivenIntake,
    response: Response,
) -> InterruptCard:
    """A value answers only where a messenger says that somebody pressed it who is bound and may answer.

    There is no word of the question in it. What comes in later makes the buttons void; ask for new ones then.
    """
    card = card_of(parts.database, intake.forms, CardTokens.of_settings(parts.settings), interrupt_id)
    if card is None:
        raise unknown("interrupt", interrupt_id)
    response.headers["Cache-Control"] = "no-store"
    return InterruptCard(
        interrupt_id=interrupt_id,
        buttons=[CardButtonView(label=each.label, value=each.value) for each in card.buttons],
        expires_at=card.expires_at,
    )
