"""What the route of a question's card answers."""

from schemas.core.form import Answered, Moment


class CardButtonView(Answered):
    """A button of a card."""

    label: str
    """What it says."""
    value: str
    """What it carries, as it stands, under the name `answer`: good for this question and this answer alone."""


class InterruptCard(Answered):
    """The buttons that a question is shown with in a messenger."""

    interrupt_id: str
    buttons: list[CardButtonView]
    """One for each answer that takes no word of the person; none where the question waits no more or has a form."""
    expires_at: Moment
    """When they answer no more."""
