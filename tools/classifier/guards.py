"""The guards: reasons why a person must look, whatever the model's confidence is."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from tools.classifier.rules import Evidence
from tools.classifier.taxonomy import Flag, Level1, Level2, parent_of

AUTOMATIC_CONFIDENCE = 0.80
"""Least level-1 confidence to act without a person (SPEC §2, step 6)."""

CANCEL_CONFIDENCE = 0.90
"""Least confidence to cancel without a person (SPEC §4): a wrong cancellation is the worst outcome."""

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
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """What the model proposes, before the guards."""

    level1: Level1
    level2: Level2
    confidence: float


def reasons_for_review(proposal: Proposal, evidence: Evidence, *, cut: bool) -> tuple[str, ...]:
    """Return why a person must look, in words for people; empty means that it may be carried out.

    `confidence` must be the rounded value that is stored, so that everybody routes by the same number.
    `cut` says that the text was longer than what is read.
    """
    return tuple(
        reason
        for reasons in (
            _of_confidence(proposal),
            _of_flags(evidence),
            _of_rules(proposal, evidence),
            _of_markers(evidence),
            _of_cancelling(proposal, evidence),
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
    if evidence.verdict is None:
        yield "no rule confirms the model" if not evidence.hits else "the rules point in different directions"
    elif evidence.verdict is not proposal.level2:
        yield f"the model reads {proposal.level2}, the rules read {evidence.verdict}"
    else:
        others = sorted({parent_of(hit.intent) for hit in evidence.hits} - {proposal.level1})
        if others:
            yield f"some of the words speak for {'、'.join(others)}"


def _of_markers(evidence: Evidence) -> Iterator[str]:
    for marker, meaning in _MARKERS.items():
        if marker in evidence.markers:
            yield f"{meaning} ({evidence.markers[marker]})"


def _of_cancelling(proposal: Proposal, evidence: Evidence) -> Iterator[str]:
    if proposal.level1 is not Level1.TERMINATE:
        return
    if AUTOMATIC_CONFIDENCE <= proposal.confidence < CANCEL_CONFIDENCE:
        yield f"cancelling needs a confidence of {CANCEL_CONFIDENCE:.2f}, this is {proposal.confidence:.4f}"
    if evidence.cancel_word is None:
        yield "cancelling needs an explicit word for it, such as 取消 or 不修了"
    if "question" in evidence.markers:
        yield f"a question is no order to cancel ({evidence.markers['question']})"
