"""What explains an order: a closed list of codes with their parameters; their words are in `words/`.

A parameter may be a sentence itself, a moment, a name that has words of its own, or why something is so.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum, auto

from runtime.clock import Clock
from schemas.people.why import Why


class SentenceCode(StrEnum):
    """What can be said of where an order stands."""

    # The whole.
    WAITS = auto()
    IS_SO = auto()
    # How far it has come.
    AT_STATE = auto()
    IN_ROUND = auto()
    WITH_INTENT = auto()
    RUN_AT_STATE = auto()
    # What it waits for.
    STUCK_WITHOUT_STEP = auto()
    STUCK_AFTER_RUN = auto()
    RUN_ENDED = auto()
    RUN_ENDED_AT = auto()
    RUN_ENDED_BY = auto()
    ENDED_BECAUSE = auto()
    ENDED_WITHOUT_REASON = auto()
    ENDED_BY = auto()
    ENDED_BY_SAYING = auto()
    PERSON = auto()
    PERSON_ASKED = auto()
    PERSON_ASKED_AFTER = auto()
    RESUME = auto()
    RESUME_AFTER = auto()
    ROOM = auto()
    WORKER = auto()
    SILENT_WORKER = auto()
    AT_WORK = auto()
    START = auto()
    SIGNAL = auto()
    CALL_RESULT = auto()
    ANSWER = auto()
    CALLER = auto()
    PERMITTED_TIME = auto()
    LOOK_AGAIN = auto()
    RETRY = auto()
    FOLLOWUP_TIME = auto()
    NEXT_CONTACT_TIME = auto()
    UNDO_WINDOW = auto()
    TIME_TO_PASS = auto()
    TIME_SET = auto()
    # What follows.
    NOTHING_FOLLOWS = auto()
    FAULT_OF_FLEET = auto()
    DECIDED_NEXT = auto()
    RESUMED_NEXT = auto()
    RESUMED_AT_ITS_TIME = auto()
    PAUSED_AT_WORK = auto()
    PAUSED_DECISION = auto()
    PAUSED_ANSWER = auto()
    PUBLISHED_NEXT = auto()
    DONE_NEXT = auto()
    GIVEN_TO_ANOTHER = auto()
    LEASE_RENEWED = auto()
    STARTED_NEXT = auto()
    SIGNAL_OR_DEADLINE = auto()
    CALL_NEXT = auto()
    ANSWER_NEXT = auto()
    CALLED_NEXT = auto()
    ATTEMPT_IF_PERMITTED = auto()
    RUNS_AGAIN = auto()
    TRIED_AGAIN = auto()
    ROUND_NEXT = auto()
    ATTEMPT_NEXT = auto()
    UNDO_NEXT = auto()
    WHAT_FOLLOWS = auto()
    BEGINS_NEXT = auto()
    TIME_HAS_COME = auto()
    # Parts of those.
    BECAUSE = auto()
    NOBODY_YET = auto()
    NOBODY_IN_TIME = auto()
    LEADS_TO = auto()
    TO_THE_END = auto()
    TO_ITS_ORIGIN = auto()
    PLACE_UNKNOWN = auto()
    PLACE_FIRST = auto()
    PLACE_SECOND = auto()
    PLACE_AFTER = auto()
    ITS_WORKER = auto()
    ATTEMPT = auto()
    ANOTHER_ATTEMPT = auto()
    NO_ATTEMPT = auto()
    RUN_FAILS = auto()
    STEP_FOLLOWS = auto()
    NOBODY_REACHED = auto()
    LAST_RESULT = auto()
    ITS_ACTION = auto()
    RULE_ENDED = auto()
    RULE_USED_ONCE = auto()
    RULE_USED = auto()
    # Notes.
    WORKER_LOST_ONCE = auto()
    WORKER_LOST = auto()
    ONE_BESIDE = auto()
    SEVERAL_BESIDE = auto()
    RUN_LIMIT = auto()


@dataclass(frozen=True, slots=True)
class When:
    """A moment and the clock it lies on."""

    at: datetime
    clock: Clock = Clock.BUSINESS


class Named(StrEnum):
    """What has a name in words."""

    CHANNEL = "channels"
    RESULT = "results"
    FINISH = "finished"
    REASON = "reasons"


@dataclass(frozen=True, slots=True)
class Name:
    """A channel, a result or a reason by its code."""

    of: Named
    code: str


@dataclass(frozen=True, slots=True)
class Reasons:
    """Why something is so: the codes, or a text that stands for itself where there are none."""

    why: tuple[Why, ...]
    text: str = ""


@dataclass(frozen=True, slots=True)
class Sentence:
    """A code and its parameters."""

    code: SentenceCode
    params: Mapping[str, "Parameter"] = field(default_factory=dict)


Parameter = str | int | Sentence | When | Name | Reasons | Sequence[str | Sentence] | None
"""What a sentence says besides its code; a list is told one after another, nothing is not told."""


def say(code: SentenceCode, /, **params: Parameter) -> Sentence:
    """Return the sentence of this code with these parameters."""
    return Sentence(code, params)
