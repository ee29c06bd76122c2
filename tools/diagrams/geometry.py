"""Points, rectangles and lines of a diagram, in pixels; y grows downwards."""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise


@dataclass(frozen=True, slots=True)
class Point:
    """A place."""

    x: float
    y: float

    def moved(self, x: float, y: float) -> "Point":
        """The place that is so much further right and down."""
        return Point(self.x + x, self.y + y)


def written(value: float) -> str:
    """A number as it stands in a file, without what nobody sees of it."""
    return f"{value:.2f}".rstrip("0").rstrip(".")


Line = tuple[Point, ...]
"""A line of straight pieces."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """A rectangle with its upper left corner."""

    x: float
    y: float
    width: float
    height: float

    @property
    def right(self) -> float:
        """Where it ends at the right."""
        return self.x + self.width

    @property
    def bottom(self) -> float:
        """Where it ends below."""
        return self.y + self.height

    @property
    def center(self) -> Point:
        """Its middle."""
        return Point(self.x + self.width / 2, self.y + self.height / 2)

    def moved(self, x: float, y: float) -> "Bounds":
        """The same rectangle so much further right and down."""
        return Bounds(self.x + x, self.y + y, self.width, self.height)

    def grown(self, by: float) -> "Bounds":
        """The rectangle with so much more at each side."""
        return Bounds(self.x - by, self.y - by, self.width + 2 * by, self.height + 2 * by)

    def rounded(self) -> "Bounds":
        """The smallest rectangle of whole pixels that has it in it."""
        left, top = math.floor(self.x), math.floor(self.y)
        return Bounds(left, top, math.ceil(self.right) - left, math.ceil(self.bottom) - top)

    def overlaps(self, other: "Bounds") -> bool:
        """Whether they share more than a border."""
        return (
            self.x < other.right and other.x < self.right and self.y < other.bottom and other.y < self.bottom
        )

    def contains(self, other: "Bounds") -> bool:
        """Whether the other one lies within it."""
        return (
            self.x <= other.x
            and self.y <= other.y
            and other.right <= self.right
            and other.bottom <= self.bottom
        )


def pieces_of(line: Sequence[Point]) -> Iterator[tuple[Point, Point]]:
    """The straight pieces of a line."""
    return pairwise(line)


def moved_line(line: Sequence[Point], x: float, y: float) -> Line:
    """The same line so much further right and down."""
    return tuple(point.moved(x, y) for point in line)


def crosses(line: Sequence[Point], bounds: Bounds) -> bool:
    """Whether a line of horizontal and vertical pieces goes through a rectangle; along its border it does not."""
    return any(
        min(start.x, end.x) < bounds.right
        and max(start.x, end.x) > bounds.x
        and min(start.y, end.y) < bounds.bottom
        and max(start.y, end.y) > bounds.y
        for start, end in pieces_of(line)
    )


def around(bounds: Iterable[Bounds], points: Iterable[Point] = ()) -> Bounds:
    """The smallest rectangle that has them all in it; an empty one where there is nothing."""
    corners = [Point(x, y) for one in bounds for x, y in ((one.x, one.y), (one.right, one.bottom))]
    corners.extend(points)
    if not corners:
        return Bounds(0, 0, 0, 0)
    left, top = min(point.x for point in corners), min(point.y for point in corners)
    return Bounds(
        left, top, max(point.x for point in corners) - left, max(point.y for point in corners) - top
    )


def straightened(line: Sequence[Point]) -> Line:
    """The line without points at which it does not bend."""
    kept: list[Point] = []
    for point in line:
        if kept and kept[-1] == point:
            continue
        if len(kept) > 1 and _in_a_row(kept[-2], kept[-1], point):
            kept.pop()
        kept.append(point)
    return tuple(kept)


def _in_a_row(first: Point, middle: Point, last: Point) -> bool:
    """Whether the middle one lies on the horizontal or vertical piece between the others."""
    return (first.x == middle.x == last.x and min(first.y, last.y) <= middle.y <= max(first.y, last.y)) or (
        first.y == middle.y == last.y and min(first.x, last.x) <= middle.x <= max(first.x, last.x)
    )
