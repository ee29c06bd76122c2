"""Lines around shapes, wherever these are."""

from hypothesis import given
from hypothesis import strategies as st

from tools.diagrams.geometry import Bounds, crosses
from tools.diagrams.layout.routing import DOWN, LEFT, RIGHT, UP, route

places = st.floats(-10_000, 10_000)
sizes = st.floats(36, 1_000)


@given(st.builds(Bounds, places, places, sizes, sizes))
def test_a_line_back_to_its_source_goes_around_it(bounds: Bounds) -> None:
    line = route(bounds, bounds, ([RIGHT], [UP]), [bounds])
    assert len(line) == 5
    assert not crosses(line, bounds)


@given(sizes, st.floats(60, 500))
def test_a_line_goes_around_what_stands_between(height: float, gap: float) -> None:
    source, target = Bounds(0, 0, 100, 80), Bounds(200 + 2 * gap, 0, 100, 80)
    between = Bounds(100 + gap, 40 - height / 2, 100, height)
    line = route(source, target, ([RIGHT], [LEFT]), [source, target, between])
    assert not any(crosses(line, bounds) for bounds in (source, target, between))
    assert line[0].x == source.right
    assert line[-1].x == target.x


def test_a_line_keeps_off_another_where_it_can() -> None:
    source, target = Bounds(0, 0, 100, 80), Bounds(0, 200, 100, 80)
    first = route(source, target, ([RIGHT], [RIGHT]), [source, target])
    second = route(source, target, ([RIGHT], [RIGHT]), [source, target], [first])
    assert first[1].x != second[1].x


def test_a_line_comes_in_at_another_side_where_the_best_one_is_built_up() -> None:
    source, target = Bounds(0, 0, 100, 80), Bounds(300, 0, 100, 80)
    wall = Bounds(290, -20, 10, 120)
    line = route(source, target, ([RIGHT], [LEFT, UP, DOWN]), [source, target, wall])
    assert line[-1].x == target.center.x
    assert not crosses(line, wall)
