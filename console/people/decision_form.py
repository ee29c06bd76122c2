"""The form of a decision, read: what it sends on, or what is wrong with which field."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from typing import Any

from console.people.question_fields import answer_in
from console.people.review_view import ACTING
from console.server.form import FieldFault, Form
from console.server.visit import Visit
from statemachine.orders.intents import INTENTS, Level1, Level2
from storage.orders.order import Order
from tasks.orders.people.agreed_date import contact_on, date_in_words
from tasks.orders.people.worklist import DecidableReview, business_now

_INTENTS = {level2.name.lower(): level2 for level2 in ACTING}


class FaultyDecision(ValueError):
    """The form cannot be taken as it is; `faults` say what is wrong, by field."""

    def __init__(self, **faults: FieldFault | str) -> None:
        super().__init__(", ".join(faults))
        self.faults = faults


def payload_of(visit: Visit, opened: DecidableReview) -> Mapping[str, Any]:
    """The decision that this form makes, as interrupts are continued with.

    Raises:
        FaultyDecision: a field lacks something.
    """
    form, chosen = visit.form, visit.form["choice"]
    reason = form["reason"]
    level2 = _INTENTS.get(chosen)
    if level2 is None:
        if chosen not in opened.review.decisions:
            raise FaultyDecision(choice="people.reviews.fault.choice")
        if chosen == "close" and not reason:
            raise FaultyDecision(reason="people.reviews.fault.reason")
        if opened.order is None:
            return {"decision": chosen} | ({"note": reason} if reason else {}) | _answered(opened, form)
        return {"decision": chosen} | ({"reason": reason} if reason else {})
    payload: dict[str, Any] = {"decision": "classify", "intent_level2": level2.value}
    if reason:
        payload["reason"] = reason
    if opened.order is not None:
        payload |= _date_of(visit, opened.order, level2, form)
    return payload


def _answered(opened: DecidableReview, form: Form) -> dict[str, Any]:
    """What a question of general work asks for beside the decision.

    Raises:
        FaultyDecision: a field of it cannot be read.
    """
    if opened.review.form is None:
        return {}
    answer, faults = answer_in(opened.review.form, form)
    if faults:
        raise FaultyDecision(**faults)
    return {"form": answer}


def _date_of(visit: Visit, order: Order, level2: Level2, form: Form) -> Mapping[str, str]:
    """When the customer is contacted again, or the engineer may come: what was typed wins over the day chosen."""
    level1 = INTENTS[level2].level1
    if level1 not in (Level1.POSTPONE, Level1.RESUME):
        return {}
    field = "followup_at" if level1 is Level1.POSTPONE else "visit_at"
    if form["words"]:
        agreed = date_in_words(visit.parts.database, visit.parts.context, order, level2, form["words"])
        found = agreed.followup_at if level1 is Level1.POSTPONE else agreed.visit_at
        if found is None or agreed.unclear or agreed.followup_days is not None:
            raise FaultyDecision(words="people.reviews.fault.words")
        return {field: found.isoformat()}
    if not form["day"]:
        return {}
    try:
        day = date.fromisoformat(form["day"])
    except ValueError:
        raise FaultyDecision(day="people.reviews.fault.day") from None
    now = business_now(visit.parts.database)
    if day < now.astimezone(visit.parts.context.zone(order)).date():
        raise FaultyDecision(day="people.reviews.fault.past")
    if level1 is Level1.POSTPONE:
        return {field: contact_on(visit.parts.context, order, day, now).isoformat()}
    begins = datetime.combine(day, time(9), tzinfo=visit.parts.context.zone(order)).astimezone(UTC)
    return {field: max(begins, now).isoformat()}
