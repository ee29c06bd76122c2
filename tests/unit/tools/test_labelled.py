"""What people labelled, divided into what is trained on and what models are compared on."""

from hypothesis import given
from hypothesis import strategies as st

from tools.classifier.normal_form import normalize
from tools.classifier.taxonomy import Level2
from training.dataset import Utterance
from training.labelled import Division, LabelledWords, divide
from training.near_duplicates import SIMILAR, nearest_across

READY, PARTS = Level2.READY_TO_VISIT, Level2.PARTS_PENDING
texts = st.text("配件到没了今天来吧不修好装", min_size=1, max_size=8)
labels = st.lists(st.tuples(texts, st.sampled_from([READY, PARTS])), max_size=40)


def labelled(*pairs: tuple[str, Level2]) -> list[LabelledWords]:
    return [
        LabelledWords(name=f"LAB{number:03}", text=text, level2=level2)
        for number, (text, level2) in enumerate(pairs)
    ]


def divided(*pairs: tuple[str, Level2], corpus: tuple[Utterance, ...] = ()) -> Division:
    return divide(labelled(*pairs), corpus)


def used(division: Division) -> dict[str, Level2]:
    return {row.text: row.level2 for row in (*division.training, *division.held_out)}


@given(pairs=labels)
def test_a_text_is_used_once_and_either_trained_on_or_compared_on(pairs: list[tuple[str, Level2]]) -> None:
    division = divided(*pairs)
    forms = [normalize(row.text) for row in (*division.training, *division.held_out)]
    assert len(forms) == len(set(forms))
    assert set(forms) <= {normalize(text) for text, _ in pairs}


@given(pairs=labels)
def test_nothing_trained_on_resembles_what_is_held_out(pairs: list[tuple[str, Level2]]) -> None:
    division = divided(*pairs)
    rows = [row.text for row in (*division.training, *division.held_out)]
    sides = [0] * len(division.training) + [1] * len(division.held_out)
    assert all(similarity < SIMILAR for similarity in nearest_across(rows, sides))


@given(pairs=labels, later=labels)
def test_what_was_held_out_once_is_never_trained_on(
    pairs: list[tuple[str, Level2]], later: list[tuple[str, Level2]]
) -> None:
    held_out = {normalize(row.text) for row in divided(*pairs).held_out}
    assert not held_out & {normalize(row.text) for row in divided(*pairs, *later).training}


def test_about_a_third_is_held_out() -> None:
    numbers = "零一二三四五六七八九"
    words = [f"{a}楼{b}室{c}号" for a in numbers for b in numbers for c in numbers[:4]]
    division = divided(*((text, READY) for text in words))
    assert 90 < len(division.held_out) < 150


def test_the_corpus_has_the_last_word_on_its_own_texts() -> None:
    corpus = (Utterance(text="配件没到", level2=PARTS),)
    division = divided(("配件没到！", READY), corpus=corpus)
    assert (used(division), division.left_out) == ({}, 1)


def test_most_people_decide_and_those_who_are_divided_do_not() -> None:
    assert used(divided(("来吧", READY), ("来吧", PARTS), ("来吧", READY))) == {"来吧": READY}
    assert divided(("来吧", READY), ("来吧", PARTS)).left_out == 2
