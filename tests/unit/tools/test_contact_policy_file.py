"""The contact policy's file, and how windows and zones are written."""

from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from schemas.core.configuration import PolicyFileError
from tools.contact_policy.document import load_policies
from tools.contact_policy.policy import ALWAYS_OPEN, STANDARD, ContactWindow
from tools.contact_policy.zone import customer_zone

SHANGHAI = ZoneInfo("Asia/Shanghai")
SHIPPED = Path(__file__).parents[3] / "config" / "policies" / "contact.yaml"


def test_the_shipped_file_holds_the_built_in_policies() -> None:
    assert load_policies(SHIPPED) == {"standard": STANDARD, "always_open": ALWAYS_OPEN}


@pytest.mark.parametrize(
    ("line", "wrong", "message"),
    [
        ("max_attempts: 4", "max_attempts: many", "policies.standard.max_attempts: .*found 'many'"),
        (
            "max_attempts: 4",
            "max_attempts: 3",
            "policies.standard: channels must name one channel for each of the 3",
        ),
        ("sms, im]", "sms, fax]", "policies.standard.channels.3: .*'sms'.*found 'fax'"),
        ("gap_hours: 4", "gap_hours: -1", "policies.standard.gap_hours"),
        ("max_rounds: 5", "max_round: 5", "policies.standard.max_rounds: Field required"),
        (
            '"09:00-12:00"',
            '"12:00-09:00"',
            "policies.standard.working_day_windows.0: .*ends before it begins",
        ),
        ('"09:00-12:00"', '"09:00-15:00"', "working_day_windows must be in order and must not overlap"),
        ('"09:00-12:00"', '"morning"', "working_day_windows.0: a window is written as 09:00-12:00"),
        ('"09:00-12:00"', "14:00", "working_day_windows.0: a window is written as 09:00-12:00"),
        ("policies:", "policy:", "policies: Field required"),
        ("max_attempts: 4", "max_attempts: [", "is not valid YAML"),
        ("answer_wait_hours: 24", "answer_wait_hours: .inf", "policies.standard.answer_wait_hours"),
        ("answer_wait_hours: 24", "answer_wait_hours: .nan", "policies.standard.answer_wait_hours"),
        ("answer_wait_hours: 24", "answer_wait_hours: 1e12", "policies.standard.answer_wait_hours"),
        (
            "period_seconds: 86400",
            "period_seconds: 99999999999999999",
            "policies.standard.number_caps.2.period_seconds",
        ),
        ("undo_window_seconds: 1800", "undo_window_seconds: 1e20", "policies.standard.undo_window_seconds"),
        ("gap_hours: 4 ", "gap_hours: 4\n    gap_hours: 0 ", "'gap_hours' stands in line"),
    ],
)
def test_a_wrong_file_is_refused_by_the_name_of_its_field(
    tmp_path: Path, line: str, wrong: str, message: str
) -> None:
    path = tmp_path / "contact.yaml"
    path.write_text(SHIPPED.read_text(encoding="utf-8").replace(line, wrong, 1), encoding="utf-8")
    with pytest.raises(PolicyFileError, match=message):
        load_policies(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(PolicyFileError, match=r"absent\.yaml: cannot be read"):
        load_policies(tmp_path / "absent.yaml")


def test_a_window_reads_back_as_it_was_written() -> None:
    assert [str(ContactWindow.parse(text)) for text in ("09:00-12:00", "00:00-24:00")] == [
        "09:00-12:00",
        "00:00-24:00",
    ]


def test_an_order_without_a_zone_is_in_shanghai() -> None:
    assert customer_zone(None) == SHANGHAI


@pytest.mark.parametrize("name", ["Mars/Olympus", "../etc/passwd", "Asia", "\x00"])
def test_an_unknown_zone_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="not a time zone"):
        customer_zone(name)
