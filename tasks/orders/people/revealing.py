"""Shows a person a number or words that are hidden elsewhere, with the reason in the audit log."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from runtime.mask import mask_json, mask_text
from schemas.orders.effects import Audit
from schemas.orders.step_inputs import ReviewInput
from storage.core.database import Database
from storage.orders.audit_logs import AuditLogs
from storage.orders.contacts.contacts import Contacts
from storage.orders.orders import Orders
from storage.orders.upkeep.personal_metadata import PersonalMetadata
from storage.people.reviews import Review
from tasks.orders.rules.customer_number import own_number
from tools.quotation import worded

EVENT = "personal_data_revealed"


class Field(StrEnum):
    """What can be revealed."""

    PHONE = "phone"
    TRANSCRIPT = "transcript"
    METADATA = "metadata"
    """The personal fields of the order's metadata."""


class Hidden(StrEnum):
    """Why there is nothing to reveal."""

    NO_TASK = "task"
    NO_CONTACT = "contact"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True, kw_only=True)
class RevealRequest:
    """Who asks to see which value, and why; of transcripts, that of one contact or of the last with words."""

    task_id: str
    field: Field
    reason: str
    by: str
    request_id: str
    contact_id: str | None = None


@dataclass(frozen=True, slots=True)
class Revealed:
    """The clear value, for this answer alone."""

    value: str | Mapping[str, Any] = field(repr=False)
    contact_id: str | None = None


@dataclass(frozen=True, slots=True)
class ReviewWords:
    """What a customer said, for who decides what follows from it."""

    said: str = field(repr=False)
    read: str = field(repr=False)
    """What the classifier read, where the places of reasons are counted: a note goes before a transcript."""
    phone: str | None = field(repr=False)

    @property
    def shown(self) -> str:
        """The words, with every number masked."""
        return str(self._masked(self.said))

    def worded(self, value: object) -> Any:
        """A JSON value with the words in every place of them that it names, numbers masked."""
        return self._masked(worded(value, self.read))

    def _masked(self, value: object) -> Any:
        masked = mask_json(value)
        return masked if self.phone is None else own_number(self.phone).mask(masked)


def reveal(database: Database, request: RevealRequest) -> Revealed | Hidden:
    """The value, with a line in the order's audit log that is committed before anybody sees it.

    Raises:
        UnreadableCiphertext: it was encrypted with a key that is gone; nothing was written.
    """
    with database.transaction() as work:
        order = Orders(work).find([request.task_id]).get(request.task_id)
        if order is None:
            return Hidden.NO_TASK
        if request.field is Field.PHONE:
            found = None if order.phone is None else Revealed(order.phone)
        elif request.field is Field.METADATA:
            personal = PersonalMetadata(work).of(request.task_id)
            found = None if personal is None else Revealed(personal)
        else:
            contacts = [
                contact
                for contact in Contacts(work).of_task(request.task_id)
                if request.contact_id in (None, contact.contact_id)
            ]
            if request.contact_id is not None and not contacts:
                return Hidden.NO_CONTACT
            said = ((c.transcript or c.user_feedback, c.contact_id) for c in reversed(contacts))
            found = next((Revealed(words, contact_id) for words, contact_id in said if words), None)
        if found is None:
            return Hidden.NOTHING
        line = Audit(
            task_id=request.task_id,
            event_type=EVENT,
            agent_id=request.by,
            action="reveal",
            metadata={
                "field": request.field.value,
                "contact_id": found.contact_id,
                "reason": mask_text(request.reason),
                "request_id": request.request_id,
            },
        )
        AuditLogs(work).write(line, at=None)
    return found


def put_on_record(database: Database, task_id: str, *, by: str) -> None:
    """Leave a line in an order's audit log that somebody sees all its customer said; call it before they do.

    Of an order that there is not, nothing is written.
    """
    with database.transaction() as work:
        if task_id not in Orders(work).find([task_id]):
            return
        line = Audit(
            task_id=task_id,
            event_type=EVENT,
            agent_id=by,
            action="show",
            metadata={"field": Field.TRANSCRIPT.value},
        )
        AuditLogs(work).write(line, at=None)


def words_to_decide_on(
    database: Database, review: Review, *, by: str, request_id: str | None = None
) -> ReviewWords | None:
    """What the customer said in the contact that an open question is about, numbers masked, for who may decide it.

    To hear them is a part of deciding. Each look leaves a line in the order's audit log, committed before anybody
    sees them; `None`, and no line, where there are none.

    Raises:
        UnreadableCiphertext: they were encrypted with a key that is gone; nothing was written.
    """
    contact_id = ReviewInput.of(review.context).contact_id
    if review.state != "open" or review.task_id is None or contact_id is None:
        return None
    with database.transaction() as work:
        contact = Contacts(work).by_ids([contact_id]).get(contact_id)
        if contact is None or contact.task_id != review.task_id:
            return None
        said = contact.transcript or contact.user_feedback
        if not said:
            return None
        order = Orders(work).find([review.task_id])[review.task_id]
        line = Audit(
            task_id=review.task_id,
            event_type=EVENT,
            agent_id=by,
            action="review",
            metadata={
                "field": Field.TRANSCRIPT.value,
                "contact_id": contact.contact_id,
                "review_id": review.review_id,
                "request_id": request_id,
            },
        )
        AuditLogs(work).write(line, at=None)
    return ReviewWords(said, contact.user_feedback or said, order.phone)
