"""Which actions a person must agree to first, as the configuration has it."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.settings import PROJECT
from schemas.core.configuration import PolicyFileError
from schemas.people.why import Why, WhyCode
from tools.policies.approval import ApprovalPolicy, load_approvals

SILENT = ApprovalPolicy(frozenset(), {}, {})


def test_the_projects_own_configuration_asks_for_nothing() -> None:
    policy = load_approvals(PROJECT / "config" / "policies" / "approval.yaml")
    assert policy == SILENT
    assert policy.never_asks
    assert policy.why("cancel_order", "HT1", 1_000_000) is None


def test_a_type_that_always_needs_approval_is_asked_about() -> None:
    policy = ApprovalPolicy(frozenset({"cancel_order"}), {}, {})
    assert not policy.never_asks
    assert policy.why("cancel_order", "HT1", 0) == Why(WhyCode.APPROVAL_ALWAYS, {"action": "cancel_order"})
    assert policy.why("notify_engineer", "HT1", 0) is None


def test_a_days_limit_lets_so_many_pass_and_no_more() -> None:
    policy = ApprovalPolicy(frozenset(), {}, {"cancel_order": 2})
    assert [policy.why("cancel_order", "HT1", before) is None for before in range(4)] == [
        True,
        True,
        False,
        False,
    ]


@given(st.floats(0, 1), st.text(max_size=32))
def test_the_same_order_is_always_or_never_chosen(share: float, task_id: str) -> None:
    policy = ApprovalPolicy(frozenset(), {"cancel_order": share}, {})
    assert policy.why("cancel_order", task_id, 0) == policy.why("cancel_order", task_id, 0)


@given(st.floats(0, 1), st.floats(0, 1), st.text(max_size=32))
def test_a_larger_share_chooses_every_order_that_a_smaller_one_chose(
    a: float, b: float, task_id: str
) -> None:
    smaller, larger = (
        ApprovalPolicy(frozenset(), {"cancel_order": share}, {}).why("cancel_order", task_id, 0) is not None
        for share in sorted((a, b))
    )
    assert larger or not smaller


def test_a_share_chooses_about_so_many() -> None:
    policy = ApprovalPolicy(frozenset(), {"cancel_order": 0.25}, {})
    chosen = sum(policy.why("cancel_order", f"HT{number}", 0) is not None for number in range(2000))
    assert 400 < chosen < 600


@pytest.mark.parametrize(
    ("content", "field"),
    [
        ("always: [paint_house]", "always"),
        ("share: {cancel_order: 1.5}", "share"),
        ("per_day: {cancel_order: -1}", "per_day"),
        ("never: []", "never"),
    ],
)
def test_a_wrong_field_is_named(tmp_path: Path, content: str, field: str) -> None:
    path = tmp_path / "approval.yaml"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(PolicyFileError, match=field):
        load_approvals(path)
