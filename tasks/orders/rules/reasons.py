"""Why a person is asked, as steps carry it: the codes, and beside them their words in Chinese."""

from collections.abc import Sequence
from datetime import datetime

from engine.outcomes import Failed, Snooze, TryAgain
from runtime.clock import Clock
from schemas.core.effects import Effect
from schemas.core.language import Language
from schemas.people.why import Why, documents_of
from schemas.people.wording import question_of


def question_input(*reasons: Why) -> dict[str, object]:
    """What the step of a question is given that is asked for these reasons."""
    return {"review_message": question_of(reasons, Language.CHINESE), "why": documents_of(reasons)}


def failed(*reasons: Why, code: str | None = None, effects: Sequence[Effect] = ()) -> Failed:
    """The failure for these reasons; its code is that of the first where it has no other."""
    return Failed(
        code=code or reasons[0].code.value,
        message=question_of(reasons, Language.CHINESE),
        effects=effects,
        details={"why": documents_of(reasons)},
    )


def deferred(why: Why, *, until: datetime, clock: Clock) -> Snooze:
    """The step is due again at this moment, for this reason."""
    reason = question_of([why], Language.CHINESE)
    return Snooze(until=until, clock=clock, reason=reason, details={"why": documents_of([why])})


def unavailable(why: Why, *, effects: Sequence[Effect] = (), after_seconds: float | None = None) -> TryAgain:
    """The fault that may pass, and for this reason a failure once its retries are used up."""
    given = failed(why, effects=effects)
    return TryAgain(
        code=given.code,
        message=given.message,
        effects=effects,
        after_seconds=after_seconds,
        details=given.details,
    )
