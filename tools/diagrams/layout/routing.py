"""A line from one shape to another around all that is between them, by the algorithm A* on a grid of tracks.

For the lines that the placing of a level does not draw, or draws through something: from boundary events, back to where
they begin, between pools.
"""

import heapq
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from tools.diagrams.geometry import Bounds, Line, Point, pieces_of, straightened

_TRACKS: Final = (16.0, 28.0)
"""How far from the borders of shapes a line may go along them."""
_APART: Final = 5.0
"""Between tracks."""
_CLEARANCE: Final = 6.0
"""How near a line may come to a shape that is not its end."""
_CLOSE: Final = 14.0
"""How near a line comes to one of its ends but where it begins and ends, if there is another way."""
_BEND: Final = 40.0
_SHARED: Final = 6.0
"""What a pixel on another line costs more than a free one."""
_CROSSING: Final = 16.0
_EAGER: Final = 2.0
"""How much more the way that is left counts than that behind: the search is far shorter, the line hardly longer."""
_MOST_PLACES: Final = 40_000
"""Of a grid; beyond, a line is drawn without a look at what is between."""

Side = tuple[int, int]
"""The direction in which a line leaves a shape."""
RIGHT: Final[Side] = (1, 0)
LEFT: Final[Side] = (-1, 0)
DOWN: Final[Side] = (0, 1)
UP: Final[Side] = (0, -1)
_Place = tuple[int, int]


def port(bounds: Bounds, side: Side) -> Point:
    """The middle of a side of a shape."""
    x = {1: bounds.right, -1: bounds.x}.get(side[0], bounds.center.x)
    y = {1: bounds.bottom, -1: bounds.y}.get(side[1], bounds.center.y)
    return Point(x, y)


@dataclass(slots=True)
class _Grid:
    """Tracks and what on them is blocked or taken, by the places at which a step begins; steps go right or down."""

    xs: list[float]
    ys: list[float]
    blocked: set[tuple[int, int, bool]] = field(default_factory=set)
    taken: set[tuple[int, int, bool]] = field(default_factory=set)

    def block(self, bounds: Bounds) -> None:
        """Lets nothing go through a rectangle."""
        rows = range(bisect_right(self.ys, bounds.y), bisect_left(self.ys, bounds.bottom))
        columns = range(bisect_right(self.xs, bounds.x), bisect_left(self.xs, bounds.right))
        steps = _within(self.xs, bounds.x, bounds.right)
        self.blocked.update((i, row, True) for row in rows for i in steps)
        steps = _within(self.ys, bounds.y, bounds.bottom)
        self.blocked.update((column, i, False) for column in columns for i in steps)

    def crowd(self, bounds: Bounds) -> None:
        """Makes it dear to go along a shape close to its border."""
        left, right, top, bottom = bounds.x, bounds.right, bounds.y, bounds.bottom
        for y in (top, bottom):
            self.take((Point(left, y), Point(right, y)), _CLOSE)
        for x in (left, right):
            self.take((Point(x, top), Point(x, bottom)), _CLOSE)

    def take(self, line: Sequence[Point], width: float = _CLEARANCE) -> None:
        """Makes it dear to go where another line is, or so close to it."""
        for start, end in pieces_of(line):
            if start.y == end.y:
                steps = _within(self.xs, *sorted((start.x, end.x)))
                self.taken.update((i, row, True) for row in _near(self.ys, start.y, width) for i in steps)
            else:
                steps = _within(self.ys, *sorted((start.y, end.y)))
                self.taken.update(
                    (column, i, False) for column in _near(self.xs, start.x, width) for i in steps
                )

    def distance(self, place: _Place, goals: Iterable[_Place]) -> float:
        """What is left to the nearest of the goals."""
        x, y = self.xs[place[0]], self.ys[place[1]]
        return _EAGER * min(abs(x - self.xs[column]) + abs(y - self.ys[row]) for column, row in goals)

    def steps(self, place: _Place) -> Iterable[tuple[_Place, Side, float]]:
        """Where one gets from a place, in which direction, and what it costs."""
        column, row = place
        for side in (RIGHT, DOWN, LEFT, UP):
            following = (column + side[0], row + side[1])
            if not (0 <= following[0] < len(self.xs) and 0 <= following[1] < len(self.ys)):
                continue
            step = (min(column, following[0]), min(row, following[1]), side[1] == 0)
            if step in self.blocked:
                continue
            length = abs(self.xs[column] - self.xs[following[0]]) + abs(self.ys[row] - self.ys[following[1]])
            crossing = _CROSSING if (*following, side[1] != 0) in self.taken else 0.0
            yield following, side, length * (_SHARED if step in self.taken else 1.0) + crossing


def _within(tracks: Sequence[float], low: float, high: float) -> range:
    """The steps from one track to the next that share something with the distance."""
    return range(max(0, bisect_right(tracks, low) - 1), min(len(tracks) - 1, bisect_left(tracks, high)))


def _near(tracks: Sequence[float], place: float, width: float) -> range:
    """The tracks that are closer than that to a place."""
    return range(bisect_right(tracks, place - width), bisect_left(tracks, place + width))


def route(
    source: Bounds,
    target: Bounds,
    sides: tuple[Sequence[Side], Sequence[Side]],
    obstacles: Sequence[Bounds],
    lines: Iterable[Line] = (),
) -> Line:
    """A line from the source's border to the target's, at one of the sides given for each, the first the best.

    Args:
        source: where it begins.
        target: where it ends.
        sides: where it may leave the source, and come to the target.
        obstacles: what it goes around, its ends' own shapes among them.
        lines: others, that it keeps off where it can.
    """
    starts = {port(source, side): (side, cost) for cost, side in enumerate(sides[0])}
    ends = {port(target, side): (side, cost) for cost, side in enumerate(sides[1])}
    grid = _grid_of([source, target, *obstacles], [*starts, *ends])
    if grid is None:
        return _plain(next(iter(starts)), next(iter(ends)))
    for bounds in obstacles:
        grid.block(bounds if bounds in (source, target) else bounds.grown(_CLEARANCE))
    for bounds in (source, target):
        grid.crowd(bounds)
    for line in lines:
        grid.take(line)
    places = _search(grid, starts, ends)
    if places is None:
        return _plain(next(iter(starts)), next(iter(ends)))
    return straightened([Point(grid.xs[column], grid.ys[row]) for column, row in places])


def _grid_of(shapes: Sequence[Bounds], ports: Sequence[Point]) -> _Grid | None:
    """The grid of all tracks, of the nearest alone where there would be too many places; none where still are."""
    for tracks in (_TRACKS, _TRACKS[:1]):
        xs = {x for one in shapes for track in tracks for x in (one.x - track, one.right + track)}
        ys = {y for one in shapes for track in tracks for y in (one.y - track, one.bottom + track)}
        columns = _thinned(xs, {point.x for point in ports})
        rows = _thinned(ys, {point.y for point in ports})
        if len(columns) * len(rows) <= _MOST_PLACES:
            return _Grid(columns, rows)
    return None


def _thinned(tracks: set[float], ports: set[float]) -> list[float]:
    """The tracks from left to right without those that differ little; all the ports are kept."""
    kept: list[float] = []
    for track in sorted(tracks | ports):
        if track in ports or not kept or track - kept[-1] >= _APART:
            kept.append(track)
    return kept


def _search(
    grid: _Grid, starts: Mapping[Point, tuple[Side, int]], ends: Mapping[Point, tuple[Side, int]]
) -> list[_Place] | None:
    """The places of the cheapest way."""
    column = {x: index for index, x in enumerate(grid.xs)}
    row = {y: index for index, y in enumerate(grid.ys)}
    goals = {(column[point.x], row[point.y]): side for point, (side, _) in ends.items()}
    extra = {(column[point.x], row[point.y]): cost * _BEND for point, (_, cost) in ends.items()}
    costs: dict[tuple[_Place, Side], float] = {}
    before: dict[tuple[_Place, Side], tuple[_Place, Side]] = {}
    queue: list[tuple[float, _Place, Side]] = []
    for point, (side, rank) in starts.items():
        place = (column[point.x], row[point.y])
        costs[place, side] = rank * _BEND
        heapq.heappush(queue, (rank * _BEND + grid.distance(place, goals), place, side))
    done: set[tuple[_Place, Side]] = set()
    while queue:
        _, place, side = heapq.heappop(queue)
        if (place, side) in done:
            continue
        done.add((place, side))
        if place in goals and (-goals[place][0], -goals[place][1]) == side and (place, side) in before:
            return _way(before, (place, side))
        for following, turned, step in grid.steps(place):
            if turned == (-side[0], -side[1]) or ((place, side) not in before and turned != side):
                continue
            total = costs[place, side] + step + (0.0 if turned == side else _BEND) + extra.get(following, 0.0)
            if total < costs.get((following, turned), float("inf")):
                costs[following, turned] = total
                before[following, turned] = (place, side)
                heapq.heappush(queue, (total + grid.distance(following, goals), following, turned))
    return None


def _way(
    before: Mapping[tuple[_Place, Side], tuple[_Place, Side]], last: tuple[_Place, Side]
) -> list[_Place]:
    places = [last[0]]
    at = last
    while at in before:
        at = before[at]
        places.append(at[0])
    return places[::-1]


def _plain(start: Point, end: Point) -> Line:
    """A line with one step half-way."""
    middle = (start.x + end.x) / 2
    return straightened((start, Point(middle, start.y), Point(middle, end.y), end))
