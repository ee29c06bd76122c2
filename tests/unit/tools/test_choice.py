"""The rules by which a challenger takes the champion's place."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.choice import CHANCE, Choice, Comparison, ModelFigures, chance_of, choose

FIGURES = ModelFigures(
    count=100,
    accuracy_level1=0.92,
    accuracy_level2=0.90,
    expected_calibration_error=0.01,
    automatic_share=0.5,
    automatic_precision_level1=0.997,
    automatic_precision_level2=0.994,
    wrong_automatic_cancellations=1,
)
LIKE = Comparison(champion=FIGURES, challenger=FIGURES)


def changed(**figures: Any) -> Comparison:
    return Comparison(champion=FIGURES, challenger=replace(FIGURES, **figures))


def chosen(*, held_out: Comparison = LIKE, corpus: Comparison = LIKE, won: int = 12, lost: int = 1) -> Choice:
    return choose(held_out=held_out, corpus=corpus, won=won, lost=lost)


def test_a_challenger_that_wins_clearly_and_loses_nothing_takes_over() -> None:
    choice = chosen()
    assert choice.switch
    assert "12 held-out texts" in choice.reasons[0]


@pytest.mark.parametrize(("won", "lost"), [(0, 0), (4, 0), (9, 5), (5, 9), (30, 25)])
def test_what_chance_explains_is_no_victory(won: int, lost: int) -> None:
    assert not chosen(won=won, lost=lost).switch


def test_five_victories_without_a_defeat_are_enough() -> None:
    assert chosen(won=5, lost=0).switch


@pytest.mark.parametrize("where", ["held_out", "corpus"])
@pytest.mark.parametrize(
    ("figures", "why"),
    [
        ({"wrong_automatic_cancellations": 2}, "cancel 2 orders wrongly"),
        ({"automatic_precision_level1": 0.99}, "precision of what is automatic falls at level 1"),
        ({"automatic_precision_level2": 0.98}, "precision of what is automatic falls at level 2"),
    ],
)
def test_acting_worse_by_itself_anywhere_keeps_the_champion(
    where: str, figures: dict[str, float], why: str
) -> None:
    worse = changed(**figures)
    choice = chosen(held_out=worse) if where == "held_out" else chosen(corpus=worse)
    assert (choice.switch, len(choice.reasons)) == (False, 1)
    assert why in choice.reasons[0]


@pytest.mark.parametrize(
    ("figures", "why"),
    [
        ({"accuracy_level1": 0.914}, "accuracy falls at level 1"),
        ({"accuracy_level2": 0.894}, "accuracy falls at level 2"),
        ({"expected_calibration_error": 0.03}, "calibration error rises"),
    ],
)
def test_reading_the_corpus_worse_keeps_the_champion(figures: dict[str, float], why: str) -> None:
    choice = chosen(corpus=changed(**figures))
    assert (choice.switch, len(choice.reasons)) == (False, 1)
    assert why in choice.reasons[0]


def test_what_the_corpus_may_lose_is_little_and_does_not_keep_the_champion() -> None:
    little = changed(accuracy_level1=0.916, accuracy_level2=0.896, automatic_precision_level1=0.9965)
    assert chosen(corpus=little).switch


def test_all_that_speaks_against_it_is_told() -> None:
    worse = changed(wrong_automatic_cancellations=3, accuracy_level2=0.5)
    assert len(chosen(held_out=worse, corpus=worse, won=0).reasons) == 4


@given(won=st.integers(0, 60), lost=st.integers(0, 60))
def test_the_sign_test_is_a_probability_that_falls_with_victories(won: int, lost: int) -> None:
    assert 0.0 <= chance_of(won + 1, lost) <= chance_of(won, lost) <= 1.0


def test_the_sign_test_is_exact() -> None:
    assert chance_of(5, 0) == 1 / 32 <= CHANCE
    assert chance_of(3, 1) == 5 / 16
    assert chance_of(2000, 2000) == pytest.approx(0.5, abs=0.01)
