"""Rates as people write them."""

import pytest

from runtime.rate import RateWindow, read_rate


@pytest.mark.parametrize(
    ("text", "windows"),
    [
        ("500/second", (RateWindow(1, 500),)),
        (" 3 / minute ", (RateWindow(60, 3),)),
        ("20000/minute;500/second", (RateWindow(1, 500), RateWindow(60, 20_000))),
        ("1/hour;2/day", (RateWindow(3600, 1), RateWindow(86_400, 2))),
    ],
)
def test_a_rate_is_read_as_its_windows_the_shortest_first(text: str, windows: tuple[RateWindow, ...]) -> None:
    assert read_rate(text) == windows


@pytest.mark.parametrize(
    "text",
    [
        "",
        ";",
        "500",
        "/second",
        "-1/second",
        "1.5/second",
        "5/fortnight",
        "5/second,6/minute",
        "5/second;",
        "٣/second",
        "1234567890/second",
        ";".join(["1/second"] * 10),
    ],
)
def test_what_is_no_rate_is_told_how_one_is_written(text: str) -> None:
    with pytest.raises(ValueError, match="500/second;20000/minute"):
        read_rate(text)


def test_a_rate_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="revoke the key"):
        read_rate("0/second")
