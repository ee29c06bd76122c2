"""`unpend review`: the questions that wait for a person, and the way to answer one.

Taking one and giving it back are in `fleet.command.people.claim`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer

from fleet.command.client import connected, moment, refusals, segment
from fleet.command.failure import CommandError, Commands
from fleet.command.language import Lang
from fleet.command.location import DataDir
from fleet.command.orders.task import By, name_of, text_of
from fleet.command.output import AsJson, show_json, show_line, show_table
from fleet.command.people import claim
from fleet.command.people.question import ReviewId, document_of, find_review, title_of, zone_of
from fleet.command.people.worklist import list_worklist
from schemas.core.language import Language
from statemachine.orders.intents import INTENTS, Level2
from statemachine.orders.states import Event

application = typer.Typer(
    cls=Commands, no_args_is_help=True, help="Questions that wait for a person: list, show, claim, decide."
)
application.command("claim")(claim.claim)
application.command("release")(claim.release)

_AUTOMATIC = [intent.value for intent in Level2 if INTENTS[intent].action]
"""The intents a person may decide on: those that lead to an action."""


_TOLD_ABOVE = ("origin_input", "review_message", "review_reason", "why")
_BY_EVENT = {
    Event.TRIAGE_COMPLETE.value: "classify",
    Event.REVIEW_RECONTACT.value: "recontact",
    Event.REVIEW_CLOSE.value: "close",
}
"""The decision that an event of the order comes from."""


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
    language: Lang = Language.CHINESE,
    as_json: AsJson = False,
) -> None:
    """List reviews: the open ones in the order in which they are seen to, all others the longest waiting first."""
    if state is ReviewState.OPEN:
        list_worklist(limit, data_dir, language=language, as_json=as_json)
        return
    with connected(data_dir, language=language) as api:
        reviews = api.rows("reviews", "reviews", limit, state=state.value)
    if as_json:
        show_json([document_of(review) for review in reviews])
        return
    if not reviews:
        show_line("there are no reviews" + ("" if state is ReviewState.ALL else f" that are {state.value}"))
        return
    show_table(
        ("review", "task", "state", "reason", "question", "opened", "taken by", "decide"),
        [
            (
                review["review_id"],
                review["task_id"] or review["execution_id"],
                *(review[name] for name in ("state", "reason", "question")),
                f"{moment(review['opened_at']):%Y-%m-%d %H:%M %Z}",
                review["claimed_by"],
                "|".join(review["decisions"]),
            )
            for review in reviews
        ],
    )


@application.command("show")
def show(
    review_id: ReviewId,
    by: By = None,
    data_dir: DataDir = None,
    *,
    language: Lang = Language.CHINESE,
    as_json: AsJson = False,
) -> None:
    """Show a review: what is asked, what is known, what may be decided.

    While it is open also what the customer said, which leaves a line of who looked in the order's audit log.
    """
    who = name_of(by)
    with connected(data_dir, language=language) as api:
        found = find_review(api, review_id)
        review = api.get(f"reviews/{segment(found['review_id'])}", by=who)
        zone = zone_of(api, review["task_id"])
    if as_json:
        show_json({**document_of(review), "words": review["words"]})
        return
    task, state = review["task_id"] or review["execution_id"], review["state"]
    show_line(f"{review['review_id']}  {state}  task {task}  step {review['step']}")
    show_line(f"  question  {review['question']} ({review['reason']})")
    show_line(f"  opened    {_shown(review['opened_at'], zone)}")
    if review["deadline_at"]:
        show_line(f"  deadline  {_shown(review['deadline_at'], zone)} ({zone.key})")
    if review["claimed_by"]:
        show_line(f"  taken by  {review['claimed_by']}")
    if review["words"]:
        show_line(f"  customer  “{review['words']}”")
    for name, value in review["context"].items():
        if value not in (None, "", [], {}) and name not in _TOLD_ABOVE:
            show_line(f"  {name}: {value}")
    if state == "open":
        offered = ", ".join(review["decisions"])
        show_line(f"  decide    {offered}; classify with --intent {'|'.join(_AUTOMATIC)}")
    elif review["decision"]:
        show_line(f"  decided   {review['decision'].get('decision')} by {review['decided_by']}")


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
    form: Annotated[
        str | None, typer.Option(metavar="JSON", help="What the question asks for beside the decision.")
    ] = None,
    by: By = None,
    data_dir: DataDir = None,
) -> None:
    """Answer a review; the same answer again changes nothing."""
    name = name_of(by)
    level2 = _intent(decision, intent)
    when = {"followup_at": followup_at, "followup_days": followup_days, "followup_rule": followup_rule}
    rule = _rule(decision, level2, when, visit_at)
    if decision == "close" and not (reason or "").strip():
        raise CommandError("closing needs --reason", 2)
    answer = {
        "decision": decision,
        "by": name,
        "reason": text_of(reason, "--reason") if reason else None,
        "intent_level2": level2,
        "followup_days": followup_days,
        "followup_rule": rule,
        **({"form": _form(form)} if form else {}),
    }
    with connected(data_dir) as api:
        review = find_review(api, review_id)
        if review["state"] == "open" and decision not in review["decisions"]:
            offered = ", ".join(review["decisions"])
            raise CommandError(
                f"review {review['review_id']} does not offer '{decision}'; it offers {offered}", 2
            )
        if followup_at or visit_at:
            zone = zone_of(api, review["task_id"])
            answer["followup_at"] = _moment(followup_at, "--followup-at", zone)
            answer["visit_at"] = _moment(visit_at, "--visit-at", zone)
        with refusals(conflict=lambda details: _refusal(review, decision, details)):
            became = api.post(f"reviews/{segment(review['review_id'])}/decide", answer)
    said = {
        "applied": f"is decided: {decision}",
        "counted": f"waits for more people to decide: {decision}",
        "repeated": "was decided so before; nothing was done twice",
    }
    show_line(f"{title_of(review)} {said[became['outcome']]}")


def _form(text: str) -> dict[str, Any]:
    try:
        given = json.loads(text)
    except ValueError as error:
        raise CommandError(f"--form is not JSON: {error}", 2) from error
    if not isinstance(given, dict):
        raise CommandError("--form must be a JSON object", 2)
    return given


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
        wrong = f"{field}: {fault['msg']}" if field else fault["msg"]
        raise CommandError(f"--followup-rule cannot be used: {wrong}", 2) from error
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


def _refusal(review: Mapping[str, Any], decision: str, details: Mapping[str, Any]) -> str:
    whose = title_of(review)
    if details.get("claimed_by") or "current_state" not in details:
        if details.get("decision") is None:
            return claim.stands_against(review, details)
        return f"{whose} was decided otherwise ({details['decision']}, by {details['decided_by']}); nothing was changed"
    possible = [
        _BY_EVENT[row["event"]] for row in details["allowed_transitions"] if row["event"] in _BY_EVENT
    ]
    others = [name for name in possible if name != decision and name in review["decisions"]]
    state = details["current_state"]
    hint = f"; from '{state}' it can be: {', '.join(others)}" if others else ""
    return f"'{decision}' is not possible now: {details['message']}{hint}. The review stays open"


def _moment(text: str | None, option: str, zone: ZoneInfo) -> str | None:
    if text is None:
        return None
    try:
        given = datetime.fromisoformat(text)
    except ValueError as error:
        raise CommandError(f"{option} is not a moment such as 2026-03-20T14:00 or with +08:00", 2) from error
    return (given if given.tzinfo else given.replace(tzinfo=zone)).isoformat()


def _shown(written: str, zone: ZoneInfo) -> str:
    return f"{moment(written).astimezone(zone):%a %Y-%m-%d %H:%M}"
