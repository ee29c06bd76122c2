"""The explanation of a task: what it waits for, since when, until when, what happens next; as codes, worded later."""

from dataclasses import dataclass
from enum import StrEnum

from runtime.mask import mask_text
from schemas.orders.explain.sentence import Sentence, SentenceCode, When, say
from tasks.orders.explain.moment_format import MomentFormat
from tasks.orders.explain.wording import ExplanationWording


class Wait(StrEnum):
    """The kinds of waits, for scripts and pages."""

    NOTHING = "nothing"
    """It has ended."""
    RESUME = "resume"
    """It is paused."""
    START = "start"
    """It is held, until somebody starts it."""
    PERSON = "person"
    FOLLOWUP = "followup"
    NEXT_ATTEMPT = "next_attempt"
    """The gap and the hours between two attempts."""
    PERMITTED_TIME = "permitted_time"
    """An attempt that the contact policy deferred."""
    UNDO_WINDOW = "undo_window"
    RETRY = "retry"
    LOOK_AGAIN = "look_again"
    """The step comes back by itself, without a fault counted against it."""
    TIME = "time"
    CALL_RESULT = "call_result"
    ANSWER = "answer"
    SIGNAL = "signal"
    CALLER = "caller"
    """A manual order's step, until an outside agent calls for it."""
    ROOM = "room"
    """Ready, in PostgreSQL, until the queue has room."""
    WORKER = "worker"
    """Published, until a worker takes it."""
    RESULT = "result"
    """A worker is at it."""
    FAULT = "fault"
    """Nothing will move it by itself."""


@dataclass(frozen=True, slots=True)
class WordedExplanation:
    """An explanation in the words of one language; never a phone number."""

    stands: str
    waiting_for: str
    next: str
    note: str
    sentences: str
    """All of it in one to three sentences."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """Why a task stands where it stands."""

    subject: str
    stands: Sentence
    """Its state, and how far it has come in it."""
    wait: Wait
    waiting_for: Sentence
    since: When | None = None
    until: When | None = None
    next: Sentence | None = None
    notes: tuple[Sentence, ...] = ()

    def worded(self, moment_format: MomentFormat) -> WordedExplanation:
        """The explanation in words, seen from now."""
        wording = ExplanationWording(moment_format)
        code = SentenceCode.IS_SO if self.wait in (Wait.NOTHING, Wait.FAULT) else SentenceCode.WAITS
        whole = say(code, subject=self.subject, stands=self.stands, waiting_for=self.waiting_for)
        parts = [wording.of(whole)]
        if self.since:
            parts.append(moment_format.since(self.since))
        if self.until:
            parts.append(moment_format.until(self.until))
        next_, note = wording.of(self.next), wording.joined(self.notes, "note")
        note = note[:1].upper() + note[1:]
        told = [wording.mark("part").join(parts), next_, note]
        ended = [wording.ended(sentence) for sentence in told if sentence]
        return WordedExplanation(
            stands=mask_text(wording.of(self.stands)),
            waiting_for=mask_text(wording.of(self.waiting_for)),
            next=mask_text(wording.ended(next_)) if next_ else "",
            note=mask_text(note),
            sentences=mask_text(wording.mark("sentence").join(ended)),
        )
