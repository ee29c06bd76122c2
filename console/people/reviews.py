"""The worklist: the list, one review opened, and what is done with it (CONSOLE.md §4)."""

import secrets
from dataclasses import replace
from typing import Final

from starlette.responses import Response
from starlette.routing import BaseRoute

from api.server.refusal import unknown
from console.people.decision_form import FaultyDecision, payload_of
from console.people.list_filter import MOST_ROWS, filter_of, narrowed_by, query_of, rows_of
from console.people.question_fields import faults_of, fields_of
from console.people.review_view import ReviewsPage, Tray, choices_of, pieces_of
from console.server.form import EMPTY, Form
from console.server.route import change, page
from console.server.visit import Visit, see
from schemas.access.scopes import Scope
from schemas.people.wording import worded
from storage.people.holds import HeldDecision
from storage.people.reviews import TAKE_MINUTES
from tasks.orders.people.agreed_date import calendar_of
from tasks.orders.people.worklist import business_now, decidable_review, worklist_page
from tasks.people.answers import InvalidAnswer
from tasks.people.claims import Claimed, claim, release, take_next
from tasks.people.holding import Held, held_by, hold, last_hold, undo_hold

_CONFLICT: Final = 409


def show_worklist(visit: Visit) -> Response:
    """The list, with nothing opened."""
    return visit.page(_page(visit, None))


def show_review(visit: Visit) -> Response:
    """The list with one review; its words for who has taken it, each look on record."""
    return visit.page(_page(visit, visit.path["review_id"]))


def show_tray(visit: Visit) -> Response:
    """What can be undone."""
    return visit.page(Tray(held=held_by(visit.parts.database, visit.login)))


def take(visit: Visit) -> Response:
    """Open a review: it is the person's for 5 minutes."""
    return _claimed(visit, minutes=TAKE_MINUTES)


def keep(visit: Visit) -> Response:
    """Keep a review for 30 minutes."""
    return _claimed(visit)


def take_over(visit: Visit) -> Response:
    """Take a review from whoever has it."""
    return _claimed(visit, whoever_has_it=True)


def leave(visit: Visit) -> Response:
    """Let go of a review, so that another may take it."""
    release(visit.parts.database, visit.path["review_id"], by=visit.login)
    return see(f"/reviews{query_of(visit)}")


def take_first(visit: Visit) -> Response:
    """Open the first review that nobody has."""
    return _next(visit)


def decide(visit: Visit) -> Response:
    """Hold a decision, and open the next review."""
    review_id = visit.path["review_id"]
    opened = decidable_review(visit.parts.database, visit.parts.context, review_id, words_for=None)
    if opened is None:
        raise unknown("review", review_id)
    try:
        payload = payload_of(visit, opened)
        result = hold(
            visit.parts.database,
            visit.forms,
            review_id,
            payload,
            by=visit.respondent,
            key=visit.form["key"],
            seconds=visit.parts.settings.hold_seconds,
        )
    except FaultyDecision as error:
        return visit.faulty(_page(visit, review_id, visit.form.with_faults(**error.faults)))
    except InvalidAnswer as error:
        form = visit.form.with_faults(**faults_of(error.problems, opened.review.form))
        return visit.faulty(_page(visit, review_id, form, "people.reviews.refusal.invalid"))
    if result.outcome in (Held.DONE, Held.REPEATED):
        # Who has the next one already is shown what can be undone.
        return show_tray(visit) if visit.form["ahead"] else _next(visit)
    why = result.refused.value if result.refused is not None else result.outcome.value
    return visit.page(_page(visit, review_id, visit.form, f"people.reviews.refusal.{why}"), _CONFLICT)


def undo(visit: Visit) -> Response:
    """Take a held decision back; the review is the person's again."""
    review_id = visit.path["review_id"]
    result = undo_hold(
        visit.parts.database, review_id, by=visit.login, whoever_has_it=visit.may(Scope.CLAIMS)
    )
    if result.outcome in (Held.DONE, Held.REPEATED):
        return see(f"/reviews/{review_id}{query_of(visit)}")
    if result.outcome is Held.UNKNOWN:
        raise unknown("review", review_id)
    refusal = f"people.reviews.refusal.{result.outcome.value}"
    return visit.page(_page(visit, review_id, EMPTY, refusal), _CONFLICT)


def _claimed(visit: Visit, *, minutes: int | None = None, whoever_has_it: bool = False) -> Response:
    review_id = visit.path["review_id"]
    further = {} if minutes is None else {"minutes": minutes}
    outcome, _ = claim(
        visit.parts.database, review_id, by=visit.respondent, whoever_has_it=whoever_has_it, **further
    )
    if outcome is Claimed.UNKNOWN:
        raise unknown("review", review_id)
    if outcome in (Claimed.APPLIED, Claimed.REPEATED):
        return see(f"/reviews/{review_id}{query_of(visit)}")
    refusal = f"people.reviews.refusal.{outcome.value}"
    return visit.page(_page(visit, review_id, EMPTY, refusal), _CONFLICT)


def _next(visit: Visit) -> Response:
    chosen = filter_of(narrowed_by(visit), visit.login)
    taken = take_next(visit.parts.database, by=visit.respondent, chosen=chosen)
    return see(f"/reviews{'' if taken is None else '/' + taken.review_id}{query_of(visit)}")


def _page(visit: Visit, review_id: str | None, form: Form = EMPTY, refusal: str | None = None) -> ReviewsPage:
    """The page as it stands now.

    Raises:
        Refusal: there is no such review.
    """
    database, context = visit.parts.database, visit.parts.context
    chosen, rows = narrowed_by(visit), rows_of(visit)
    listed = worklist_page(database, context, filter_of(chosen, visit.login), None, rows, visit.language)
    shown = ReviewsPage(
        listed=listed,
        chosen=chosen,
        more=None if listed.next is None else min(rows * 2, MOST_ROWS),
        query=query_of(visit),
        now=business_now(database),
        opened=None,
        is_mine=False,
        is_open=False,
        words=(),
        why=(),
        choices=(),
        calendar=(),
        key=form["key"] or secrets.token_urlsafe(12),
        tray=Tray(held=held_by(database, visit.login)),
        last=None,
        form=form,
        refusal=refusal,
    )
    if review_id is None:
        return shown
    opened = decidable_review(database, context, review_id, words_for=None, language=visit.language)
    if opened is None:
        raise unknown("review", review_id)
    last: HeldDecision | None = last_hold(database, review_id)
    is_open = opened.review.state == "open" and not (last is not None and last.is_in_force)
    is_mine = is_open and opened.review.claimed_by == visit.login
    if is_mine:
        opened = (
            decidable_review(database, context, review_id, words_for=visit.login, language=visit.language)
            or opened
        )
    return replace(
        shown,
        opened=opened,
        is_mine=is_mine,
        is_open=is_open,
        words=pieces_of(opened.words, opened.spans, visit.language) if opened.words else (),
        why=[worded(each, visit.language) for each in opened.why] or [opened.question],
        choices=choices_of(opened, opened.dates, visit.language) if is_open else (),
        calendar=calendar_of(context, opened.order, shown.now) if is_mine and opened.order else (),
        last=last,
        fields=fields_of(opened.review.form, form) if is_mine and opened.order is None else (),
    )


ROUTES: Final[tuple[BaseRoute, ...]] = (
    page("/reviews", show_worklist, scope=Scope.REVIEWS),
    page("/reviews/tray", show_tray, scope=Scope.REVIEWS),
    change("/reviews/next", take_first, scope=Scope.REVIEWS),
    page("/reviews/{review_id}", show_review, scope=Scope.REVIEWS),
    change("/reviews/{review_id}/take", take, scope=Scope.REVIEWS),
    change("/reviews/{review_id}/keep", keep, scope=Scope.REVIEWS),
    change("/reviews/{review_id}/take-over", take_over, scope=Scope.CLAIMS),
    change("/reviews/{review_id}/leave", leave, scope=Scope.REVIEWS),
    change("/reviews/{review_id}/decide", decide, scope=Scope.REVIEWS),
    change("/reviews/{review_id}/undo", undo, scope=Scope.REVIEWS),
)
"""The routes of reviews."""
