"""What a language model's verdict may change: it may stop an action, and never allow one."""

from hypothesis import given
from hypothesis import strategies as st

from schemas.people.why import PARAMETERS, Why, WhyCode
from tools.classifier.classifier import Classification
from tools.classifier.taxonomy import Flag, Level2, parent_of
from tools.language_model.second_opinion import (
    Discarded,
    SecondOpinion,
    read_second_opinion,
    with_second_opinion,
)

reasons = st.lists(
    st.sampled_from([code for code in WhyCode if not PARAMETERS[code]]).map(Why), max_size=3
).map(tuple)


@st.composite
def classifications(draw: st.DrawFn) -> Classification:
    level2, why = draw(st.sampled_from(Level2)), draw(reasons)
    return Classification(
        level1=parent_of(level2),
        level2=level2,
        confidence=draw(st.integers(0, 10_000)) / 10_000,
        requires_human_review=bool(why),
        flags=tuple(draw(st.sets(st.sampled_from(Flag)))),
        why=why,
        model_hash="a model",
    )


verdicts = st.none() | st.sampled_from(Level2).map(lambda level2: SecondOpinion(level2=level2, evidence="x"))


def route(found: Classification) -> tuple[object, ...]:
    """All that a second opinion has no say in."""
    return found.level1, found.level2, found.confidence, found.flags, found.model_hash


@given(found=classifications(), opinion=verdicts)
def test_a_second_opinion_never_raises_the_route(
    found: Classification, opinion: SecondOpinion | None
) -> None:
    after = with_second_opinion(found, opinion)
    assert route(after) == route(found)
    assert after.requires_human_review >= found.requires_human_review
    assert after.why[: len(found.why)] == found.why
    assert after.requires_human_review is bool(after.why)


@given(found=classifications(), opinion=verdicts)
def test_only_disagreement_changes_anything(found: Classification, opinion: SecondOpinion | None) -> None:
    after = with_second_opinion(found, opinion)
    if opinion is None or opinion.level2 is found.level2:
        assert after == found
    else:
        assert after.requires_human_review
        assert after.why[-1].params == {"model": found.level2, "language_model": opinion.level2}


@given(content=st.text() | st.none() | st.integers(), text=st.text(max_size=20))
def test_any_answer_is_a_verdict_on_what_was_said_or_is_discarded(content: object, text: str) -> None:
    found = read_second_opinion(content, text=text)
    assert isinstance(found, Discarded) or found.evidence in text
