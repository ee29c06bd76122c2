"""JSON Lines as they come: whatever the bytes, every line is an order or is told of."""

import io
import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from fleet.command.orders.lines import LONGEST, FaultyLine, NotLines, OrderLine, read_lines
from tests.support.factories import payload

VALID = json.dumps(payload(), ensure_ascii=False).encode()

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(
    st.lists(st.binary(max_size=40) | json_values.map(lambda value: json.dumps(value).encode()), max_size=6)
)
@example([b'{"metadata": {"a": "\\ud800"}}'])
def test_every_line_that_is_not_blank_comes_out_once_and_under_its_number(lines: list[bytes]) -> None:
    content = b"\n".join(lines)
    try:
        found = list(read_lines(io.BytesIO(content)))
    except NotLines:
        return
    shown = content.removeprefix(b"\xef\xbb\xbf").split(b"\n")
    assert [line.number for line in found] == [n for n, line in enumerate(shown, 1) if line.strip()]
    assert all(line.problems for line in found if isinstance(line, FaultyLine))


@given(st.dictionaries(st.text(max_size=5), json_values, max_size=4))
def test_an_order_with_anything_in_its_metadata_can_be_stored_or_is_told_of(
    metadata: dict[str, object],
) -> None:
    raw = json.dumps(payload(metadata=metadata)).encode()
    (line,) = read_lines(io.BytesIO(raw))
    if isinstance(line, OrderLine):
        assert line.body.digest()
        assert "\\u0000" not in line.body.model_dump_json()


def test_a_line_that_is_too_long_is_not_held_in_memory() -> None:
    content = io.BytesIO(b"x" * (3 * LONGEST) + b"\n" + VALID)
    long, valid = read_lines(content)
    assert isinstance(long, FaultyLine)
    assert (len(long.text), long.size) == (64 * 1024, 3 * LONGEST + 1)
    assert isinstance(valid, OrderLine)
    assert valid.number == 2


def test_a_line_of_exactly_the_longest_length_is_read() -> None:
    padded = VALID + b" " * (LONGEST - len(VALID))
    assert [type(line) for line in read_lines(io.BytesIO(padded + b"\n"))] == [OrderLine]


def test_the_last_line_needs_no_line_end() -> None:
    assert len(list(read_lines(io.BytesIO(VALID)))) == 1


def test_windows_line_ends_are_fine() -> None:
    assert [type(line) for line in read_lines(io.BytesIO(VALID + b"\r\n" + VALID + b"\r\n"))] == [
        OrderLine
    ] * 2


@pytest.mark.parametrize("start", [b"\xff\xfe", b"\xfe\xff", b"\x1f\x8b", b"PK\x03\x04"])
def test_what_has_no_lines_is_told_as_a_whole(start: bytes) -> None:
    with pytest.raises(NotLines, match="it must be JSON Lines in UTF-8"):
        list(read_lines(io.BytesIO(start + b"\n")))


def test_a_faulty_line_does_not_show_its_text() -> None:
    (line,) = read_lines(io.BytesIO(b'{"phone": "13912345678"'))
    assert "13912345678" not in repr(line)
