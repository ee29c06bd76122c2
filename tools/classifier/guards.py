"""The guards: reasons why a person must look, whatever the model's confidence is."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from tools.classifier.rules import Evidence
from tools.classifier.taxonomy import Flag, Level1, Level2, parent_of
from tools.quotation import place_of

AUTOMATIC_CONFIDENCE = 0.80
"""Least level-1 confidence to act without a person (SPEC §2, step 6)."""

CANCEL_CONFIDENCE = 0.90
"""Least confidence to cancel without a person (SPEC §4): a wrong cancellation is the worst outcome."""

SURE_CONFIDENCE = 0.95
"""From here on lesser evidence for something else is no reason to ask (docs/decisions/0004 has the measurement)."""

_ALWAYS_COUNTED = frozenset({Level1.TERMINATE, Level1.UNCLEAR})
"""Evidence for these beside another intent is a reason to ask, however sure the model is."""

_MARKERS: Mapping[str, str] = {
    "contrast": "a contrast may turn the meaning round",
    "condition": "the answer depends on a condition",
    "negation": "a negation may turn the meaning round",
}
_FLAGS: Mapping[Flag, str] = {
    Flag.DO_NOT_CONTACT: "the customer does not want to be contacted",
    Flag.COMPLAINT: "the customer complains",
    Flag.WRONG_NUMBER: "this may be the wrong number or the wrong person",
    Flag.INJECTION: "the words address the system instead of answering",
    Flag.CONTRADICTION: "the customer says one thing and its opposite",
    Flag.EMERGENCY: "people may be in danger (gas, electricity, fire, water, a lift): act at once",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """The model's result, before the guards."""

    level1: Level1
    level2: Level2
    confidence: float


def reasons_for_review(proposal: Proposal, evidence: Evidence, text: str, *, cut: bool) -> tuple[str, ...]:
    """Return the reasons for a review, in words for people; empty means that the action may be carried out.

    Of the customer's `text` they hold places alone (`tools.quotation`).

    `confidence` must be the rounded value that is stored, so that everybody routes by the same number.
    `cut` says that the text was longer than what is read.
    """
    return tuple(
        reason
        for reasons in (
            _of_confidence(proposal),
            _of_flags(evidence),
            _of_rules(proposal, evidence),
            _of_markers(proposal, evidence, text),
            _of_cancelling(proposal, evidence, text),
            ["the text is longer than 500 characters, and the rest was not read"] if cut else [],
        )
        for reason in reasons
    )


def _of_confidence(proposal: Proposal) -> Iterator[str]:
    if proposal.level1 is Level1.UNCLEAR:
        yield "the answer names no intent that can be acted on"
    if proposal.confidence < AUTOMATIC_CONFIDENCE:
        yield f"confidence {proposal.confidence:.4f} is below {AUTOMATIC_CONFIDENCE:.2f}"


def _of_flags(evidence: Evidence) -> Iterator[str]:
    for flag in evidence.flags:
        yield _FLAGS[flag]


def _of_rules(proposal: Proposal, evidence: Evidence) -> Iterator[str]:
    if not evidence.hits:
        yield "no rule confirms the model"
        return
    others = {parent_of(hit.intent) for hit in evidence.hits} - {proposal.level1}
    if proposal.confidence >= SURE_CONFIDENCE:
        others &= _ALWAYS_COUNTED
    if evidence.scores.get(proposal.level2) != max(evidence.scores.values()):
        yield f"the model reads {proposal.level2}, the rules read {evidence.intent or 'several intents'}"
    elif evidence.intent is None and proposal.confidence < SURE_CONFIDENCE:
        yield "the rules point in different directions"
    elif others:
        yield f"some of the words speak for {'、'.join(sorted(others))}"


def _of_markers(proposal: Proposal, evidence: Evidence, text: str) -> Iterator[str]:
    for marker, meaning in _MARKERS.items():
        if marker in evidence.markers and _matters(marker, proposal):
            yield f"{meaning} ({place_of(evidence.markers[marker], text)})"


def _matters(marker: str, proposal: Proposal) -> bool:
    if proposal.confidence < SURE_CONFIDENCE or proposal.level1 is Level1.TERMINATE:
        return True
    return marker == "condition" and proposal.level1 is Level1.RESUME


def _of_cancelling(proposal: Proposal, evidence: Evidence, text: str) -> Iterator[str]:
    if proposal.level1 is not Level1.TERMINATE:
        return
    if AUTOMATIC_CONFIDENCE <= proposal.confidence < CANCEL_CONFIDENCE:
        yield f"cancelling needs a confidence of {CANCEL_CONFIDENCE:.2f}, this is {proposal.confidence:.4f}"
    if evidence.cancel_word is None:
        yield "cancelling needs an explicit word for it, such as 取消 or 不修了"
    elif evidence.unknown_clause is not None:
        yield (
            "every word of a cancellation must be understood, and "
            f"{place_of(evidence.unknown_clause.clause, text)} is not, "
            f"from {place_of(evidence.unknown_clause.rest, text)} on"
        )
    if "question" in evidence.markers:
        yield f"a question is no order to cancel ({place_of(evidence.markers['question'], text)})"
