"""The guards: reasons why a person must look, whatever the model's confidence is."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from schemas.people.why import Why, WhyCode
from tools.classifier.normal_form import MAX_LENGTH
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

_MARKERS: Mapping[str, WhyCode] = {
    "contrast": WhyCode.CONTRAST,
    "condition": WhyCode.CONDITION,
    "negation": WhyCode.NEGATION,
}
_FLAGS: Mapping[Flag, WhyCode] = {
    Flag.DO_NOT_CONTACT: WhyCode.FLAG_DO_NOT_CONTACT,
    Flag.COMPLAINT: WhyCode.FLAG_COMPLAINT,
    Flag.WRONG_NUMBER: WhyCode.FLAG_WRONG_NUMBER,
    Flag.INJECTION: WhyCode.FLAG_INJECTION,
    Flag.CONTRADICTION: WhyCode.FLAG_CONTRADICTION,
    Flag.EMERGENCY: WhyCode.FLAG_EMERGENCY,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """The model's result, before the guards."""

    level1: Level1
    level2: Level2
    confidence: float


def reasons_for_review(proposal: Proposal, evidence: Evidence, text: str, *, cut: bool) -> tuple[Why, ...]:
    """Return the reasons for a review; empty means that the action may be carried out.

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
            [Why(WhyCode.TEXT_CUT, {"most": MAX_LENGTH})] if cut else [],
        )
        for reason in reasons
    )


def _of_confidence(proposal: Proposal) -> Iterator[Why]:
    if proposal.level1 is Level1.UNCLEAR:
        yield Why(WhyCode.UNCLEAR_INTENT)
    if proposal.confidence < AUTOMATIC_CONFIDENCE:
        yield Why(WhyCode.LOW_CONFIDENCE, {"confidence": proposal.confidence, "least": AUTOMATIC_CONFIDENCE})


def _of_flags(evidence: Evidence) -> Iterator[Why]:
    for flag in evidence.flags:
        yield Why(_FLAGS[flag])


def _of_rules(proposal: Proposal, evidence: Evidence) -> Iterator[Why]:
    if not evidence.hits:
        yield Why(WhyCode.NO_RULE_CONFIRMS)
        return
    others = {parent_of(hit.intent) for hit in evidence.hits} - {proposal.level1}
    if proposal.confidence >= SURE_CONFIDENCE:
        others &= _ALWAYS_COUNTED
    if evidence.scores.get(proposal.level2) != max(evidence.scores.values()):
        yield (
            Why(WhyCode.RULES_READ_SEVERAL, {"model": proposal.level2})
            if evidence.intent is None
            else Why(WhyCode.RULES_READ_OTHER, {"model": proposal.level2, "rules": evidence.intent})
        )
    elif evidence.intent is None and proposal.confidence < SURE_CONFIDENCE:
        yield Why(WhyCode.RULES_DISAGREE)
    elif others:
        yield Why(WhyCode.WORDS_FOR_OTHERS, {"intents": sorted(others)})


def _of_markers(proposal: Proposal, evidence: Evidence, text: str) -> Iterator[Why]:
    for marker, code in _MARKERS.items():
        if marker in evidence.markers and _matters(marker, proposal):
            yield Why(code, {"words": place_of(evidence.markers[marker], text)})


def _matters(marker: str, proposal: Proposal) -> bool:
    if proposal.confidence < SURE_CONFIDENCE or proposal.level1 is Level1.TERMINATE:
        return True
    return marker == "condition" and proposal.level1 is Level1.RESUME


def _of_cancelling(proposal: Proposal, evidence: Evidence, text: str) -> Iterator[Why]:
    if proposal.level1 is not Level1.TERMINATE:
        return
    if AUTOMATIC_CONFIDENCE <= proposal.confidence < CANCEL_CONFIDENCE:
        yield Why(
            WhyCode.CANCEL_LOW_CONFIDENCE, {"confidence": proposal.confidence, "least": CANCEL_CONFIDENCE}
        )
    if evidence.cancel_word is None:
        yield Why(WhyCode.CANCEL_NOT_EXPLICIT)
    elif evidence.unknown_clause is not None:
        unknown = evidence.unknown_clause
        yield Why(
            WhyCode.CANCEL_NOT_UNDERSTOOD,
            {"clause": place_of(unknown.clause, text), "rest": place_of(unknown.rest, text)},
        )
    if "question" in evidence.markers:
        yield Why(WhyCode.CANCEL_IS_A_QUESTION, {"words": place_of(evidence.markers["question"], text)})
