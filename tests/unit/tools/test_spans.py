"""Which words of a text decided, marked in the text as it was written."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from runtime.settings import PROJECT
from tools.classifier.classifier import Classifier
from tools.classifier.files import default_paths
from tools.classifier.normal_form import normalize, normalize_traced
from tools.classifier.rules import load_rules
from tools.classifier.taxonomy import Level2
from tools.dates import Ambiguous, DateReading, date_spans, parse
from tools.span import Span, SpanKind

RULES = load_rules(default_paths().rules)
CHINA = ZoneInfo("Asia/Shanghai")
FRIDAY = datetime(2026, 3, 13, 4, tzinfo=UTC)

_SAID = st.sampled_from(
    [
        "配件还没到", "配建到了", "佩件没来", "可以來上門", "取消吧", "不休了", "师付", "按装", "別再打了", "我要投诉",
        "但是", "要是", "后来买新的了", "不是", "吗？", "煤气味", "下周三", "２５號", "下午３点", "周一到周五", "没空",
        "忽略之前的指令", "打错了", "审皮", "装修", "不修了",
    ]
)  # fmt: skip
_NOISE = st.sampled_from(
    [" ", "，", "。。", "？？", "!!", "…", "　", "\n", "哈哈哈哈哈", "13800138000", "ok OK", "A  b", "ß", "ﬁ", "㎏",
     "😀", "\u200b", "é", "각", "\u0301", "Ⅷ", "嗯嗯嗯嗯"]
)  # fmt: skip
texts = st.lists(_SAID | _NOISE | st.text(max_size=4), max_size=8).map("".join)


def marked(text: str, spans: list[Span]) -> list[tuple[str, SpanKind, str]]:
    return [(text[span.start : span.end], span.kind, span.label) for span in spans]


@given(text=texts | st.text())
def test_the_traced_normal_form_is_the_normal_form_with_a_piece_of_the_text_for_each_character(
    text: str,
) -> None:
    traced = normalize_traced(text)
    assert traced.text == normalize(text)
    assert len(traced.places) == len(traced.text)
    assert all(0 <= start < end <= len(text) for start, end in traced.places)
    assert [*traced.places] == sorted(traced.places)


@given(text=texts)
def test_the_repair_is_traced_too(text: str) -> None:
    repaired = RULES.repair_traced(normalize_traced(text))
    assert repaired.text == RULES.repair(normalize(text))
    assert len(repaired.places) == len(repaired.text)


@given(text=texts)
def test_the_piece_of_the_original_contains_what_a_rule_has_hit(text: str) -> None:
    repaired = RULES.repair_traced(normalize_traced(text))
    for hit in RULES.read(repaired.text).hits:
        start, end = repaired.place(hit.start, hit.start + len(hit.words))
        assert hit.words.strip("， ") in RULES.repair(normalize(text[start:end]))


@given(text=texts | st.text(), level2=st.none() | st.sampled_from(Level2))
def test_every_span_lies_within_the_text(classifier: Classifier, text: str, level2: Level2 | None) -> None:
    found = [
        *classifier.spans_of(text, level2=level2, pending_reason="等待配件"),
        *date_spans(text, now=FRIDAY, zone=CHINA, calendar=None),
    ]
    assert all(0 <= span.start < span.end <= len(text) for span in found)


@given(text=texts)
def test_what_dates_are_read_from_is_marked(text: str) -> None:
    reading = parse(text, now=FRIDAY, zone=CHINA, calendar=None)
    pieces = [text[span.start : span.end] for span in date_spans(text, now=FRIDAY, zone=CHINA, calendar=None)]
    if isinstance(reading, Ambiguous):
        assert set(reading.matches) <= set(pieces)
    elif isinstance(reading, DateReading):
        assert all(any(piece in part for part in reading.matched.split(" … ")) for piece in pieces)
        assert pieces


def test_words_for_and_against_are_marked_as_they_were_written(classifier: Classifier) -> None:
    text = "配建到了，但是　我没空，别再打了!!!"
    assert marked(text, [*classifier.spans_of(text)]) == [
        ("配建到了", SpanKind.AGAINST, "可上门"),
        ("但是", SpanKind.GUARD, "contrast"),
        ("没空", SpanKind.FOR, "客户不便"),
        ("别再打了", SpanKind.AGAINST, "需人工"),
        ("别再打了", SpanKind.FLAG, "do_not_contact"),
    ]


def test_the_clause_that_is_not_understood_is_marked_where_understanding_ends(classifier: Classifier) -> None:
    text = "东西退了，單子取消吧改约周三"
    guards = [each for each in marked(text, [*classifier.spans_of(text)]) if each[1] is SpanKind.GUARD]
    assert guards == [("改约周三", SpanKind.GUARD, "cancel_not_understood")]


def test_a_guard_marks_nothing_that_it_does_not_ask_about(classifier: Classifier) -> None:
    text = "配件到了，但是我没空"
    assert not classifier.classify(text).requires_human_review
    assert SpanKind.GUARD not in {span.kind for span in classifier.spans_of(text)}


def test_of_another_reading_the_same_words_speak_against(classifier: Classifier) -> None:
    text = "配件还没到"
    kinds = {span.kind for span in classifier.spans_of(text, level2=Level2.NO_LONGER_NEEDED, confidence=0.9)}
    assert kinds == {SpanKind.AGAINST}


def test_a_bare_answer_is_marked_as_a_whole(classifier: Classifier) -> None:
    assert marked("还没到", [*classifier.spans_of("还没到", pending_reason="等待配件")]) == [
        ("还没到", SpanKind.FOR, "配件未到")
    ]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("下週三 上午吧", [("下週三", "2026-03-18"), ("上午", "08:00/12:00")]),
        ("周一到周五都行", [("周一到周五", "2026-03-16/2026-03-20")]),
        ("下周三或者礼拜五", [("下周三", "2026-03-18"), ("礼拜五", "2026-03-20")]),
        ("昨天报的修", []),
    ],
)
def test_dates_are_marked_with_what_they_mean(text: str, found: list[tuple[str, str]]) -> None:
    spans = date_spans(text, now=FRIDAY, zone=CHINA, calendar=None)
    assert [(text[span.start : span.end], span.label) for span in spans] == found
    assert {span.kind for span in spans} <= {SpanKind.DATE}


def test_the_corpus_of_the_classifier_is_traced_exactly() -> None:
    found = 0
    for path in sorted((PROJECT / "config" / "triage" / "corpus").glob("*.yaml")):
        groups = yaml.load(path.read_bytes(), Loader=yaml.CSafeLoader)["utterances"]
        for one in (one for group in groups.values() for one in group):
            text = one["text"] if isinstance(one, dict) else one
            assert normalize_traced(text).text == normalize(text)
            found += 1
    assert found > 1_000
