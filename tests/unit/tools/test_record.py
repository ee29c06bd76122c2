"""What people's decisions prove of the model."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.classifier.taxonomy import Level2
from training.record import PRECISION_TO_PROVE, RecordedDecision, judge_record
from training.wilson import Interval, still_needed, wilson

counts = st.integers(0, 5000).flatmap(lambda count: st.tuples(st.integers(0, count), st.just(count)))


def decided(
    predicted: Level2 = Level2.READY_TO_VISIT,
    level2: Level2 | None = Level2.READY_TO_VISIT,
    *,
    automatic: bool = True,
) -> RecordedDecision:
    return RecordedDecision(predicted=predicted, automatic=automatic, level2=level2)


def test_the_interval_is_that_of_the_textbook() -> None:
    found = wilson(81, 263)
    assert [found.low, found.high] == pytest.approx([0.2553, 0.3662], abs=1e-4)


def test_nothing_seen_proves_nothing() -> None:
    assert wilson(0, 0) == Interval(0.0, 1.0)


@pytest.mark.parametrize(("right", "count"), [(2, 1), (-1, 3)])
def test_what_is_no_share_is_refused(right: int, count: int) -> None:
    with pytest.raises(ValueError, match="no share"):
        wilson(right, count)


@given(seen=counts)
def test_the_interval_holds_the_share_and_lies_within_bounds(seen: tuple[int, int]) -> None:
    right, count = seen
    found = wilson(right, count)
    assert 0.0 <= found.low <= found.high <= 1.0
    if count:
        assert found.low - 1e-12 <= right / count <= found.high + 1e-12


@given(seen=counts, least=st.floats(0.5, 0.995))
def test_so_many_more_are_enough_and_one_fewer_is_not(seen: tuple[int, int], least: float) -> None:
    right, count = seen
    more = still_needed(right, count, least=least)
    assert wilson(right + more, count + more).low >= least
    assert more == 0 or wilson(right + more - 1, count + more - 1).low < least


def test_certainty_cannot_be_asked_for() -> None:
    with pytest.raises(ValueError, match="less than 1"):
        still_needed(10, 10, least=1.0)


def test_381_right_ones_in_a_row_prove_99_percent() -> None:
    assert still_needed(0, 0, least=PRECISION_TO_PROVE) == 381
    record = judge_record([decided()] * 381)
    proof = next(each for each in record.proofs if each.level2 is Level2.READY_TO_VISIT)
    assert (proof.is_proven, proof.precision, proof.still_needed) == (True, 1.0, 0)
    assert not judge_record([decided()] * 380).overall.is_proven


def test_every_intent_that_leads_to_an_action_has_a_proof_of_its_own() -> None:
    record = judge_record([decided(), decided(Level2.NO_LONGER_NEEDED, Level2.PARTS_PENDING)])
    found = {each.level2: (each.right, each.count) for each in record.proofs}
    assert found == {
        Level2.READY_TO_VISIT: (1, 1),
        Level2.PARTS_PENDING: (0, 0),
        Level2.CUSTOMER_UNAVAILABLE: (0, 0),
        Level2.SITE_NOT_READY: (0, 0),
        Level2.NO_LONGER_NEEDED: (0, 1),
    }


def test_the_right_kind_of_postponement_is_told_from_the_right_one() -> None:
    record = judge_record([decided(Level2.SITE_NOT_READY, Level2.PARTS_PENDING)])
    assert (record.overall.right, record.overall.right_level1) == (0, 1)


def test_what_a_person_did_not_confirm_was_not_right() -> None:
    record = judge_record([decided(level2=None)])
    assert (record.overall.right, record.overall.right_level1, record.overall.count) == (0, 0, 1)
    assert record.confusion == {("", "可上门"): 1}


def test_what_went_to_a_person_anyway_proves_nothing_of_what_would_be_automatic() -> None:
    record = judge_record([decided(automatic=False), decided(level2=Level2.PARTS_PENDING, automatic=False)])
    assert (record.sent_to_people, record.sent_right, record.overall.count) == (2, 1, 0)
