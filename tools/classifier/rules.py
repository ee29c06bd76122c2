"""The rules of `rules.yaml`: evidence for intents, markers that change a meaning, and safety flags."""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tools.classifier.taxonomy import Flag, Level2
from tools.classifier.traced_text import TracedText
from tools.classifier.vocabulary import UnknownClause, Vocabulary, expand

_PLACEHOLDER = re.compile(r"<([a-z_]+)>")
CLAUSE_END = re.compile(r"[，？]")


class RulesError(ValueError):
    """The rules file cannot be used; the message names the file, the place and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IntentRule:
    """A pattern that is evidence for `intent`; a match does not count in a clause that also matches `unless`."""

    id: str
    intent: Level2
    weight: float
    pattern: re.Pattern[str]
    unless: re.Pattern[str] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleHit:
    """A rule that matched, with the matched words at offset `start` of the normal form."""

    rule: str
    intent: Level2
    weight: float
    words: str
    start: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Everything the rules found in one text.

    `intent` is the intent with strictly the most weight, None when no rule counted or two are equal.
    `markers` maps the name of a marker to the words seen. `cancel_word` is the explicit word for
    cancelling, as it was said; `unknown_clause` is the first clause beside it that is not understood, and is looked
    for only where there is a cancel word.
    """

    hits: tuple[RuleHit, ...]
    scores: Mapping[Level2, float]
    intent: Level2 | None
    flags: tuple[Flag, ...]
    markers: Mapping[str, str]
    cancel_word: str | None
    unknown_clause: UnknownClause | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleSet:
    """The compiled rules file. `sha256` is the digest of its bytes."""

    rules: tuple[IntentRule, ...]
    homophones: Mapping[str, str]
    homophone_pattern: re.Pattern[str] | None
    markers: Mapping[str, re.Pattern[str]]
    flags: Mapping[Flag, re.Pattern[str]]
    harmless: re.Pattern[str]
    cancel_words: re.Pattern[str]
    understood: Vocabulary
    sha256: str

    def repair(self, text: str) -> str:
        """Return `text` (a normal form) with the known errors of speech recognition undone."""
        if self.homophone_pattern is None:
            return text
        return self.homophone_pattern.sub(lambda found: self.homophones[found.group()], text)

    def repair_traced(self, text: TracedText) -> TracedText:
        """Return what `repair` does, with the place of each character."""
        if self.homophone_pattern is None:
            return text
        return text.sub(self.homophone_pattern, lambda found: self.homophones[found.group()])

    def read(self, text: str, *, spoken: str | None = None) -> Evidence:
        """Return the evidence in `text`, a repaired normal form.

        `spoken` is the normal form before the repair: a cancel word must stand in it, because nothing may
        be cancelled on a word that we put there ourselves.
        """
        hits = tuple(hit for rule in self.rules if (hit := _hit(rule, text)) is not None)
        plain = self.harmless.sub("", text)
        markers = {
            name: found.group() for name, pattern in self.markers.items() if (found := pattern.search(plain))
        }
        scores: dict[Level2, float] = {}
        for hit in hits:
            scores[hit.intent] = scores.get(hit.intent, 0.0) + hit.weight
        cancel = self.cancel_words.search(text if spoken is None else spoken)
        return Evidence(
            hits=hits,
            scores=scores,
            intent=_winner(scores),
            flags=tuple(flag for flag, pattern in self.flags.items() if pattern.search(text)),
            markers=markers,
            cancel_word=cancel.group() if cancel else None,
            unknown_clause=self.understood.first_unknown_clause(text, self.cancel_words) if cancel else None,
        )


def load_rules(path: Path) -> RuleSet:
    """Read and compile the rules file.

    Raises:
        RulesError: the file is missing, is no YAML, lacks a section, or holds a bad entry.
    """
    try:
        raw = path.read_bytes()
        document = yaml.load(raw, Loader=yaml.CSafeLoader)
    except OSError as error:
        raise RulesError(
            f"{path}: cannot be read ({error.strerror}); the rules belong beside the weights"
        ) from error
    except yaml.YAMLError as error:
        raise RulesError(f"{path}: is not valid YAML: {error}") from error
    try:
        return _compile(document, hashlib.sha256(raw).hexdigest())
    except (KeyError, TypeError, ValueError, re.error) as error:
        raise RulesError(f"{path}: {_explain(error)}; see the head of the file for its form") from error


def _explain(error: Exception) -> str:
    return f"lacks {error}" if isinstance(error, KeyError) else str(error)


def _compile(document: Mapping[str, Any], sha256: str) -> RuleSet:
    flag_words = {name: "|".join(patterns) for name, patterns in document["flags"].items()}
    words: dict[str, str] = {**document["vocabulary"], **flag_words}
    homophones: dict[str, str] = dict(document["homophones"])
    longest_first = sorted(homophones, key=lambda heard: (-len(heard), heard))
    return RuleSet(
        rules=tuple(_rule(entry, words) for entry in document["rules"]),
        homophones=homophones,
        homophone_pattern=re.compile("|".join(map(re.escape, longest_first))) if homophones else None,
        markers={
            name: _pattern(f"the marker {name}", patterns, words)
            for name, patterns in document["markers"].items()
        },
        flags={Flag(name): _pattern(f"the flag {name}", [words[name]], words) for name in flag_words},
        harmless=_pattern("harmless", document["harmless"], words),
        cancel_words=_pattern("cancel_words", [document["cancel_words"]], words),
        understood=_vocabulary(document["understood"], words),
        sha256=sha256,
    )


def _rule(entry: Mapping[str, Any], words: Mapping[str, str]) -> IntentRule:
    place = f"the rule {entry['id']}"
    unless = entry.get("unless")
    return IntentRule(
        id=entry["id"],
        intent=Level2(entry["intent"]),
        weight=float(entry["weight"]),
        pattern=_pattern(place, entry["patterns"], words),
        unless=None if unless is None else _pattern(place, [unless], words),
    )


def _vocabulary(section: Mapping[str, Any], words: Mapping[str, str]) -> Vocabulary:
    understood = expand(section["words"], section["lists"])
    return Vocabulary(
        words=understood,
        longest=max(map(len, understood), default=0),
        done=_pattern("understood", section["done"]["patterns"], words),
        unless=_pattern("understood", section["done"]["unless"], words),
    )


def _pattern(place: str, patterns: Sequence[str], words: Mapping[str, str]) -> re.Pattern[str]:
    filled = _PLACEHOLDER.sub(lambda name: words[name.group(1)], "|".join(f"(?:{part})" for part in patterns))
    try:
        return re.compile(filled)
    except re.error as error:
        raise ValueError(f"{place} holds a bad pattern: {error}") from error


def _hit(rule: IntentRule, text: str) -> RuleHit | None:
    for found in rule.pattern.finditer(text):
        if rule.unless is not None and rule.unless.search(_clause_around(text, found.start(), found.end())):
            continue
        return RuleHit(
            rule=rule.id, intent=rule.intent, weight=rule.weight, words=found.group(), start=found.start()
        )
    return None


def _clause_around(text: str, start: int, end: int) -> str:
    left = max(text.rfind("，", 0, start), text.rfind("？", 0, start)) + 1
    closing = CLAUSE_END.search(text, end)
    # The mark that ends the clause is kept, so that a rule can tell a question from a statement.
    return text[left : closing.end() if closing else len(text)]


def _winner(scores: Mapping[Level2, float]) -> Level2 | None:
    ranked = sorted(scores.items(), key=lambda entry: (-entry[1], entry[0]))
    if not ranked or (len(ranked) > 1 and ranked[0][1] == ranked[1][1]):
        return None
    return ranked[0][0]
