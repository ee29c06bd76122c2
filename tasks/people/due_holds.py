"""Applies held decisions once their time has come, each once; one that cannot be applied gives the question back.

Hold, undo and this take the locks of the step and of the question first: of two at once one comes second and finds
what the other has done. Whatever process dies meanwhile, the row is found by the next look.
"""

from contextvars import copy_context
from functools import partial
from typing import Final

from engine.engine import Engine
from engine.rescue.isolation import Fault, isolated
from runtime.principal import act_for, label_principal
from schemas.people.holds import HoldState
from statemachine.orders.machine import IllegalTransition
from statemachine.workflow.planner import UnknownDecision
from storage.core.unit_of_work import UnitOfWork
from storage.people.holds import HeldDecision, HeldDecisions
from storage.people.reviews import Review
from tasks.forms import TaskForms
from tasks.people.answers import Decided, InvalidAnswer, lock
from tasks.people.history import write_line
from tasks.people.holding import hand_to

REFUSED: Final = "decision_refused"
ENDED: Final = "ended"
"""The question no longer waits: its order was closed, or it was decided otherwise."""
NEWS: Final = "news"
"""The customer has turned to us since: a person hears that first."""
NOT_ALLOWED: Final = "not_allowed"
"""The state of the task no longer allows it."""
FAULT: Final = "fault"
_FLEET: Final = "orchestrator"
_CHUNK: Final = 100
"""Holds that one call looks at."""
_STANDS: Final = frozenset({Decided.APPLIED, Decided.COUNTED, Decided.REPEATED})


def apply_due(engine: Engine, forms: TaskForms) -> int:
    """Apply every held decision whose time has come; how many there were."""
    with engine.database.looks() as work:
        due = HeldDecisions(work).due(_CHUNK)
    for review_id in due:
        # In a context of its own: its lines of history name the key with which it was decided.
        applied = copy_context().run(isolated, partial(_apply, engine, forms, review_id))
        if isinstance(applied, Fault):
            _refuse(engine, review_id, FAULT)
    return len(due)


def _apply(engine: Engine, forms: TaskForms, review_id: str) -> None:
    try:
        with engine.transaction() as transaction:
            work = transaction.work
            found = _held(work, review_id)
            if found is None:
                return
            review, held = found
            _act_for(held)
            form = forms.form_of(work, review)
            if review.state != "open":
                _end(work, review, held, ENDED)
            elif form.seen(work, review) != held.seen:
                _end(work, review, held, NEWS)
            else:
                outcome, _ = form.answer_within(transaction, review, held.payload, held.respondent)
                _end(work, review, held, None if outcome in _STANDS else outcome.value)
    except (IllegalTransition, UnknownDecision, InvalidAnswer):
        _refuse(engine, review_id, NOT_ALLOWED)


def _refuse(engine: Engine, review_id: str, why: str) -> None:
    """Write that a decision was not applied, in a transaction of its own: that of the attempt was rolled back."""
    with engine.database.transaction() as work:
        found = _held(work, review_id)
        if found is not None:
            _end(work, *found, why)


def _held(work: UnitOfWork, review_id: str) -> tuple[Review, HeldDecision] | None:
    """The locked question and its hold, where that stands and is due."""
    review = lock(work, review_id)
    held = HeldDecisions(work).in_force(review_id)
    if review is None or held is None or not HeldDecisions(work).is_due(held.hold_id):
        return None
    return review, held


def _end(work: UnitOfWork, review: Review, held: HeldDecision, refusal: str | None) -> None:
    """Write what became of a hold; where it was refused, the question is its holder's again."""
    state = HoldState.APPLIED if refusal is None else HoldState.REFUSED
    HeldDecisions(work).end(held.hold_id, state, refusal=refusal)
    if refusal is not None:
        hand_to(work, review, held.by)
        detail = {"decision": held.decision, "hold_id": held.hold_id, "refusal": refusal, "by": held.by}
        write_line(work, review, REFUSED, _FLEET, detail)


def _act_for(held: HeldDecision) -> None:
    """Let the lines of history that follow name the key with which it was decided."""
    if held.key_id is not None:
        act_for(held.key_id)
        label_principal(held.label)
