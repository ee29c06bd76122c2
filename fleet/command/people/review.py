"""`unpend review`: the questions that wait for a person, and the way to answer one.

Taking one and giving it back are in `fleet.command.people.claim`.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fleet.command.failure import CommandError, Commands
from fleet.command.location import DataDir, joined, opened
from fleet.command.orders.task import By, name_of, text_of
from fleet.command.output import AsJson, show_json, show_line, show_table
from fleet.command.people import claim
from fleet.command.people.question import ReviewId, find_review
from statemachine.orders.intents import INTENTS, Level2

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from statemachine.orders.machine import IllegalTransition
    from storage.core.unit_of_work import UnitOfWork
    from storage.people.reviews import Review
    from workers.process import Process

application = typer.Typer(
    cls=Commands, no_args_is_help=True, help="Questions that wait for a person: list, show, claim, decide."
)
application.command("claim")(claim.claim)
application.command("release")(claim.release)

_AUTOMATIC = [intent.value for intent in Level2 if INTENTS[intent].action]
"""The intents a person may decide on: those that lead to an action."""


class ReviewState(StrEnum):
    """Which reviews to list."""

    OPEN = "open"
    DECIDED = "decided"
    CANCELLED = "cancelled"
    ALL = "all"


@application.command("list")
def list_reviews(
    state: Annotated[ReviewState, typer.Option("--state", help="Which.")] = ReviewState.OPEN,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many at most.")] = 50,
    data_dir: DataDir = None,
    *,
    as_json: AsJson = False,
) -> None:
    """List reviews, the longest waiting first."""
    from storage.people.reviews import Reviews

    wanted = None if state is ReviewState.ALL else state.value
    with opened(data_dir) as database, database.snapshot() as work:
        reviews = Reviews(work).list(state=wanted, limit=limit)
    if as_json:
        show_json(reviews)
        return
    if not reviews:
        show_line("there are no reviews" + ("" if wanted is None else f" that are {wanted}"))
        return
    show_table(
        ("review", "task", "state", "reason", "question", "opened", "taken by", "decide"),
        [
            (
                review.review_id,
                review.task_id or review.run_id,
                review.state,
                review.reason,
                review.question,
                f"{review.opened_at:%Y-%m-%d %H:%M %Z}",
                review.claimed_by,
                "|".join(review.decisions),
            )
            for review in reviews
        ],
    )


@application.command("show")
def show(
    review_id: ReviewId, by: By = "operator", data_dir: DataDir = None, *, as_json: AsJson = False
) -> None:
    """Show a review: what is asked, what is known, what may be decided.

    While it is open also what the customer said, which leaves a line of who looked in the order's audit log.
    """
    from tasks.orders.people.revealing import words_to_decide_on

    who = name_of(by)
    with opened(data_dir) as database:
        with database.snapshot() as work:
            review = find_review(work, review_id)
            zone = _zone(work, review)
        words = words_to_decide_on(database, review, by=who)
    if as_json:
        show_json({**_document(review), "words": words})
        return
    show_line(
        f"{review.review_id}  {review.state}  task {review.task_id or review.run_id}  step {review.node}"
    )
    show_line(f"  question  {review.question} ({review.reason})")
    show_line(f"  opened    {review.opened_at.astimezone(zone):%a %Y-%m-%d %H:%M}")
    if review.deadline_at:
        show_line(f"  deadline  {review.deadline_at.astimezone(zone):%a %Y-%m-%d %H:%M} ({zone.key})")
    if review.claimed_by:
        show_line(f"  taken by  {review.claimed_by}")
    if words:
        show_line(f"  customer  “{words}”")
    for name, value in review.context.items():
        if value not in (None, "", [], {}) and name not in (
            "origin_input",
            "review_message",
            "review_reason",
        ):
            show_line(f"  {name}: {value}")
    if review.state == "open":
        show_line(f"  decide    {', '.join(review.decisions)}; classify with --intent {'|'.join(_AUTOMATIC)}")
    elif review.decision:
        show_line(f"  decided   {review.decision.get('decision')} by {review.decided_by}")


@application.command("decide")
def decide(
    review_id: ReviewId,
    decision: Annotated[
        str,
        typer.Option("--decision", metavar="DECISION", help="classify, recontact, close, retry: as offered."),
    ],
    intent: Annotated[
        str | None, typer.Option("--intent", metavar="|".join(_AUTOMATIC), help="What the customer wants.")
    ] = None,
    followup_at: Annotated[
        str | None,
        typer.Option(metavar="ISO", help="When to follow up; the customer's time without an offset."),
    ] = None,
    followup_days: Annotated[
        int | None, typer.Option(min=1, max=365, help="The same as a number of days.")
    ] = None,
    followup_rule: Annotated[
        str | None,
        typer.Option(metavar="JSON", help="The same, round after round: a rule as in docs/followups.md."),
    ] = None,
    visit_at: Annotated[
        str | None, typer.Option(metavar="ISO", help="When to visit; the customer's time without an offset.")
    ] = None,
    reason: Annotated[str | None, typer.Option(metavar="TEXT", help="Why; needed to close.")] = None,
    by: By = "operator",
    data_dir: DataDir = None,
) -> None:
    """Answer a review; the same answer again changes nothing."""
    name = name_of(by)
    level2 = _intent(decision, intent)
    when = {"followup_at": followup_at, "followup_days": followup_days, "followup_rule": followup_rule}
    rule = _rule(decision, level2, when, visit_at)
    if decision == "close" and not (reason or "").strip():
        raise CommandError("closing needs --reason", 2)
    with joined(data_dir) as process:
        with process.database.snapshot() as work:
            review = find_review(work, review_id)
            zone = _zone(work, review)
        _check_offered(review, decision)
        _carry_out(
            process,
            review,
            {
                "decision": decision,
                "decided_by": name,
                "reason": text_of(reason, "--reason") if reason else None,
                "intent_level2": level2,
                "followup_at": _moment(followup_at, "--followup-at", zone),
                "followup_days": followup_days,
                "followup_rule": rule,
                "visit_at": _moment(visit_at, "--visit-at", zone),
            },
        )


def _carry_out(process: Process, review: Review, wish: dict[str, Any]) -> None:
    from statemachine.orders.machine import IllegalTransition
    from statemachine.workflow.planner import UnknownDecision
    from tasks.orders.people.deciding import Decided, Decision
    from tasks.orders.people.deciding import decide as answer

    try:
        became, now = answer(process.engine, process.context, review.review_id, Decision(**wish))
    except UnknownDecision as error:
        raise _not_offered(review, wish["decision"]) from error
    except IllegalTransition as error:
        raise CommandError(_refusal(review, wish["decision"], error)) from error
    whose = f"review {review.review_id} of task {review.task_id or review.run_id}"
    if became is Decided.CLAIMED and now is not None:
        raise claim.taken(now)
    if became is Decided.APPLIED:
        show_line(f"{whose} is decided: {wish['decision']}")
    elif became is Decided.REPEATED:
        show_line(f"{whose} was decided so before; nothing was done twice")
    else:
        state = now.state if now else "gone"
        told = now.decision.get("decision") if now and now.decision else None
        before = f"was decided otherwise ({told}, by {now.decided_by})" if now and told else f"is {state}"
        raise CommandError(f"{whose} {before}; nothing was changed")


def _zone(work: UnitOfWork, review: Review) -> ZoneInfo:
    from storage.orders.orders import Orders
    from tasks.orders.explain.situation import zone_of
    from tools.contact_policy.zone import customer_zone

    order = Orders(work).find([review.task_id]).get(review.task_id) if review.task_id else None
    return customer_zone(None) if order is None else zone_of(order)


def _rule(
    decision: str, level2: Level2 | None, when: dict[str, Any], visit_at: str | None
) -> dict[str, Any] | None:
    """The follow-up rule, once all that is said about time is known to fit the decision."""
    from pydantic import ValidationError

    from schemas.orders.followup import FollowupRuleGiven, at_most_one, require_fitting

    try:
        at_most_one(**when)
        postponed = any(value is not None for value in when.values())
        require_fitting(decision, level2, postponed=postponed, visited=visit_at is not None)
        given = when["followup_rule"]
        rule = None if given is None else FollowupRuleGiven.model_validate_json(given)
    except ValidationError as error:
        fault = error.errors(include_url=False)[0]
        field = ".".join(str(part) for part in fault["loc"])
        told = f"{field}: {fault['msg']}" if field else fault["msg"]
        raise CommandError(f"--followup-rule cannot be used: {told}", 2) from error
    except ValueError as error:
        raise CommandError(str(error), 2) from error
    return None if rule is None else rule.model_dump(mode="json", exclude_none=True)


def _intent(decision: str, intent: str | None) -> Level2 | None:
    if decision != "classify":
        if intent:
            raise CommandError("--intent belongs to --decision classify", 2)
        return None
    if intent is None or intent not in _AUTOMATIC:
        given = "classify needs --intent" if intent is None else f"--intent {intent} leads to no action"
        raise CommandError(f"{given}; there are {', '.join(_AUTOMATIC)}", 2)
    return Level2(intent)


def _check_offered(review: Review, decision: str) -> None:
    if review.state == "open" and decision not in review.decisions:
        raise _not_offered(review, decision)


def _not_offered(review: Review, decision: str) -> CommandError:
    offered = ", ".join(review.decisions)
    return CommandError(f"review {review.review_id} does not offer '{decision}'; it offers {offered}", 2)


def _refusal(review: Review, decision: str, error: IllegalTransition) -> str:
    from statemachine.orders.machine import allowed_from
    from statemachine.orders.states import Event

    by_event = {
        Event.TRIAGE_COMPLETE: "classify",
        Event.REVIEW_RECONTACT: "recontact",
        Event.REVIEW_CLOSE: "close",
    }
    possible = [by_event[row.event] for row in allowed_from(error.state) if row.event in by_event]
    others = [name for name in possible if name != decision and name in review.decisions]
    hint = f"; from '{error.state}' it can be: {', '.join(others)}" if others else ""
    return f"'{decision}' is not possible now: {error}{hint}. The review stays open"


def _moment(text: str | None, option: str, zone: ZoneInfo) -> datetime | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise CommandError(f"{option} is not a moment such as 2026-03-20T14:00 or with +08:00", 2) from error
    return moment if moment.tzinfo else moment.replace(tzinfo=zone)


def _document(review: Review) -> dict[str, Any]:
    from dataclasses import asdict

    return asdict(review)
