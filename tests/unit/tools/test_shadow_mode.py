"""Shadow mode: which decisions a person makes instead of the fleet."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.settings import PROJECT
from schemas.core.configuration import PolicyFileError
from statemachine.orders.intents import Level2
from tools.policies.shadow_mode import ShadowMode, load_shadow_mode

ACTING = [level2 for level2 in Level2 if level2 is not Level2.NEEDS_HUMAN]
names = st.text("abcHT0123456789", min_size=1, max_size=12)
shares = st.floats(0, 100)


def mode(share: float, *, seed: int = 1, **by_intent: float) -> ShadowMode:
    return ShadowMode(
        seed=seed, share_percent=share, by_intent={Level2(name): part for name, part in by_intent.items()}
    )


def taken(shadow: ShadowMode, level2: Level2 = Level2.READY_TO_VISIT, many: int = 2000) -> int:
    return sum(shadow.takes(level2, task_id=f"HT{number}", contact_id="CONT1") for number in range(many))


@given(level2=st.sampled_from(Level2), task_id=names, contact_id=names)
def test_a_share_of_nothing_takes_nothing(level2: Level2, task_id: str, contact_id: str) -> None:
    assert not mode(0).takes(level2, task_id=task_id, contact_id=contact_id)


@given(level2=st.sampled_from(ACTING), task_id=names, contact_id=names)
def test_a_share_of_all_takes_all(level2: Level2, task_id: str, contact_id: str) -> None:
    assert mode(100).takes(level2, task_id=task_id, contact_id=contact_id)


def test_what_a_person_decides_anyway_is_never_taken() -> None:
    assert taken(mode(100), Level2.NEEDS_HUMAN) == 0


@given(one=shares, other=shares, task_id=names, contact_id=names)
def test_a_greater_share_takes_all_that_a_smaller_one_does(
    one: float, other: float, task_id: str, contact_id: str
) -> None:
    small, great = sorted((one, other))
    if mode(small).takes(Level2.PARTS_PENDING, task_id=task_id, contact_id=contact_id):
        assert mode(great).takes(Level2.PARTS_PENDING, task_id=task_id, contact_id=contact_id)


def test_a_share_is_about_that_part_of_all() -> None:
    assert 500 < taken(mode(30)) < 700


def test_another_seed_takes_others() -> None:
    def first(seed: int) -> list[bool]:
        shadow = mode(50, seed=seed)
        return [shadow.takes(Level2.READY_TO_VISIT, task_id=f"HT{n}", contact_id="CONT1") for n in range(64)]

    assert first(1) == first(1) != first(2)


def test_an_intent_may_have_a_share_of_its_own() -> None:
    shadow = mode(0, 不再需要=100)
    assert (taken(shadow, Level2.NO_LONGER_NEEDED, 50), taken(shadow, Level2.PARTS_PENDING, 50)) == (50, 0)


def test_the_shipped_file_takes_nothing() -> None:
    shadow = load_shadow_mode(PROJECT / "config" / "policies" / "shadow.yaml")
    assert [shadow.share(level2) for level2 in Level2] == [0.0] * len(Level2)


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("seed: 1\nshare_percent: 101\n", "share_percent"),
        ("seed: 1\nshare_percent: .nan\n", "share_percent"),
        ("seed: 1\nshare_percent: 0\nintents: {随便: 5}\n", "intents"),
        ("seed: 1\nshare_percent: 0\nintents: {可上门: -1}\n", "intents.可上门"),
        ("share_percent: 0\n", "seed"),
        ("seed: 1\nshare_percent: 0\nshare: 5\n", "share"),
    ],
)
def test_a_wrong_field_is_named(tmp_path: Path, text: str, field: str) -> None:
    path = tmp_path / "shadow.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(PolicyFileError, match=field):
        load_shadow_mode(path)
