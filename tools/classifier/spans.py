"""The words of a text that decided how it was read: evidence of the rules, flags, and what guards ask about."""

from collections.abc import Collection, Iterator, Mapping
from typing import Final

from schemas.people.why import WhyCode
from tools.classifier.context import spell_out
from tools.classifier.normal_form import normalize_traced
from tools.classifier.rules import CLAUSE_END, Evidence, RuleSet
from tools.classifier.taxonomy import Level2
from tools.classifier.traced_text import TracedText
from tools.span import Span, SpanKind

_MARKER_OF: Final[Mapping[WhyCode, str]] = {
    WhyCode.CONTRAST: "contrast",
    WhyCode.CONDITION: "condition",
    WhyCode.NEGATION: "negation",
    WhyCode.CANCEL_IS_A_QUESTION: "question",
}


def spans_in(
    text: str, rules: RuleSet, *, level2: Level2, why: Collection[WhyCode], pending_reason: str | None
) -> list[Span]:
    """Return the spans of `text`, which was read as `level2` and goes to a person for these codes, in order."""
    spoken = normalize_traced(text)
    if (full := spell_out(spoken.text, pending_reason)) != spoken.text:
        spoken = TracedText.of([(full, (0, len(text)))])
    repaired = rules.repair_traced(spoken)
    evidence = rules.read(repaired.text, spoken=spoken.text)
    return sorted(
        {
            *_of_hits(repaired, evidence, level2),
            *_of_flags(repaired, evidence, rules),
            *_of_markers(repaired, rules, why),
            *_of_unknown_clause(repaired, evidence, why),
        }
    )


def _of_hits(text: TracedText, evidence: Evidence, level2: Level2) -> Iterator[Span]:
    for hit in evidence.hits:
        if hit.words:
            kind = SpanKind.FOR if hit.intent is level2 else SpanKind.AGAINST
            yield Span(*text.place(hit.start, hit.start + len(hit.words)), kind, hit.intent.value)


def _of_flags(text: TracedText, evidence: Evidence, rules: RuleSet) -> Iterator[Span]:
    for flag in evidence.flags:
        found = rules.flags[flag].search(text.text)
        if found and found.group():
            yield Span(*text.place(*found.span()), SpanKind.FLAG, flag.value)


def _of_markers(text: TracedText, rules: RuleSet, why: Collection[WhyCode]) -> Iterator[Span]:
    plain = text.sub(rules.harmless, "")
    for code, marker in _MARKER_OF.items():
        found = rules.markers[marker].search(plain.text) if code in why else None
        if found and found.group():
            yield Span(*plain.place(*found.span()), SpanKind.GUARD, code.value)


def _of_unknown_clause(text: TracedText, evidence: Evidence, why: Collection[WhyCode]) -> Iterator[Span]:
    unknown, start = evidence.unknown_clause, 0
    if unknown is None or WhyCode.CANCEL_NOT_UNDERSTOOD not in why:
        return
    for clause in CLAUSE_END.split(text.text):
        end = start + len(clause)
        if clause == unknown.clause:
            place = text.place(end - len(unknown.rest), end)
            yield Span(*place, SpanKind.GUARD, WhyCode.CANCEL_NOT_UNDERSTOOD.value)
            return
        start = end + 1
