"""The dossier of an order in the form in which it is handed out: by the API, and as a file of the console."""

from dataclasses import asdict

from runtime.mask import mask_json
from runtime.personal import PersonalFields
from schemas.core.language import Language
from schemas.orders.explain.dossier import ContactShown, DossierView, Happened, OrderShown, RunShown
from storage.orders.contacts.contact import Contact
from tasks.orders.explain.dossier import Dossier, facts_of, phone_of, timeline_of, words_in
from tasks.orders.explain.status import why


def dossier_view(dossier: Dossier, personal: PersonalFields) -> DossierView:
    """A dossier as `GET /v1/tasks/{task_id}/dossier` answers it: numbers masked."""
    order, situation = dossier.order, dossier.situation
    named = {name: getattr(order, name) for name in OrderShown.model_fields if hasattr(order, name)}
    return DossierView(
        order=OrderShown(
            **named
            | {
                "phone": phone_of(order),
                "metadata": mask_json(personal.mask(order.metadata)),
                "execution_id": order.run_id,
                "status": order.status.value,
            }
        ),
        run=RunShown(state=situation.run.state.value, error=mask_json(situation.run.error)),
        contacts=[_contact(contact, words=dossier.words) for contact in dossier.contacts],
        transitions=[{**row, "metadata": mask_json(row["metadata"])} for row in dossier.transitions],
        audit=[{**row, "metadata": mask_json(row["metadata"])} for row in dossier.audit],
        steps=[
            {**row, "title": situation.title(row["node"]), "error": mask_json(row["error"])}
            for row in dossier.steps
        ],
        reviews=[
            asdict(review)
            | {
                "context": mask_json(review.context),
                "question": mask_json(review.question),
                "decision": mask_json(review.decision),
            }
            for review in dossier.reviews
        ],
        alerts=[
            {**row, "message": mask_json(row["message"]), "metadata": mask_json(row.get("metadata"))}
            for row in dossier.alerts
        ],
        why=why(situation, Language.ENGLISH),
        timezone=situation.zone.key,
        facts=facts_of(dossier),
        timeline=[
            Happened(at=at, what=what, detail=mask_json(detail)) for at, what, detail in timeline_of(dossier)
        ],
    )


def _contact(contact: Contact, *, words: bool) -> ContactShown:
    return ContactShown(
        contact_id=contact.contact_id,
        round=contact.round,
        contact_no=contact.contact_no,
        direction=contact.direction,
        method=contact.contact_method,
        status=contact.status,
        result=contact.contact_result,
        duration_seconds=contact.duration_seconds,
        transcript=words_in(contact, shown=words),
        at=contact.contact_time,
        key=contact.key,
    )
