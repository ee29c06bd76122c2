"""Identifiers: what they name is their prefix, and they sort as they were made."""

import re
import time

import pytest

from runtime.ids import WRITTEN, Prefix, new_id


@pytest.mark.parametrize("prefix", Prefix)
def test_an_identifier_begins_with_what_it_names_and_fits_its_column(prefix: Prefix) -> None:
    made = new_id(prefix)
    assert re.fullmatch(rf"{prefix}[0-9a-f]{{26}}", made)
    assert len(made) <= 32
    assert WRITTEN.fullmatch(made)


@pytest.mark.parametrize(
    ("name", "prefix"),
    [
        ("CONTACT", "CONT"),
        ("ACTION", "ACT"),
        ("LOG", "LOG"),
        ("ALERT", "ALT"),
        ("FOLLOWUP", "FU"),
        ("TRANSITION", "txn_"),
        ("DISPATCH", "disp_"),
        ("REQUEST", "req_"),
    ],
)
def test_the_specified_prefixes_are_kept(name: str, prefix: str) -> None:
    assert Prefix[name].value == prefix


def test_a_hundred_thousand_identifiers_are_all_different() -> None:
    assert len({new_id(Prefix.LOG) for _ in range(100_000)}) == 100_000


def test_identifiers_sort_by_the_millisecond_they_were_made_in(monkeypatch: pytest.MonkeyPatch) -> None:
    moments = [1, 999_999, 1_000_000, 1_773_000_000_000_000_000, 1_773_000_000_001_000_000, 2**63]
    made = []
    for moment in moments:
        monkeypatch.setattr(time, "time_ns", lambda moment=moment: moment)
        made.append(new_id(Prefix.LOG))
    # The first two share a millisecond and are in order by chance alone.
    assert made[1:] == sorted(made[1:])
    assert len({identifier[: len("LOG") + 11] for identifier in made}) == len(moments) - 1
