"""A trace id is taken from `traceparent` only where it is written as W3C Trace Context has it."""

import re

import pytest

from runtime.trace import new_trace_id, trace_id_of

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = "00f067aa0ba902b7"


@pytest.mark.parametrize(
    "header",
    [
        f"00-{TRACE}-{PARENT}-01",
        f"00-{TRACE}-{PARENT}-00",
        f"cc-{TRACE}-{PARENT}-01",
        f"cc-{TRACE}-{PARENT}-01-more",
    ],
)
def test_the_trace_of_a_valid_header_is_taken(header: str) -> None:
    assert trace_id_of(header) == TRACE


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        TRACE,
        f"00-{TRACE.upper()}-{PARENT}-01",
        f"00-{'0' * 32}-{PARENT}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"ff-{TRACE}-{PARENT}-01",
        f"00-{TRACE}-{PARENT}-01-more",
        f"00-{TRACE}-{PARENT}",
        f"00-{TRACE[1:]}-{PARENT}-01",
        f" 00-{TRACE}-{PARENT}-01",
        f"00-{TRACE}-{PARENT}-01\n",
        f"cc-{TRACE}-{PARENT}-01.more",
    ],
)
def test_a_header_that_is_not_as_the_standard_has_it_names_no_trace(header: str | None) -> None:
    assert trace_id_of(header) is None


def test_a_new_trace_is_one_that_a_header_may_name() -> None:
    made = new_trace_id()
    assert re.fullmatch("[0-9a-f]{32}", made)
    assert trace_id_of(f"00-{made}-{PARENT}-01") == made
    assert new_trace_id() != made
