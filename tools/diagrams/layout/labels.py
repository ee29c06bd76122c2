"""Where the names of flows stand: on their lines, off shapes and other names, off other lines where possible."""

from collections.abc import Mapping, Sequence
from typing import Final

from tools.diagrams.geometry import Bounds, Line, Point, crosses, pieces_of
from tools.diagrams.measures import flow_label_size

_SHARES: Final = (0.5, 0.3, 0.7, 0.15, 0.85)
"""Places on a piece of a line, the best first."""
_BESIDE: Final = 2.0
"""Between a line and a name that stands beside it."""
_OTHER_LINE: Final = 20.0
_TOO_SHORT: Final = 10.0
"""Of a piece on which nothing is left of the line beside the name."""
_LATER: Final = 3.0
"""For each piece further from the source; who reads a branch looks for its condition where it begins."""


def labels_along(
    lines: Mapping[str, Line], captions: Mapping[str, str], obstacles: Sequence[Bounds]
) -> dict[str, Bounds]:
    """The place of each caption on its line; one for which there is none that covers no obstacle has no place.

    Args:
        lines: every line of the level.
        captions: what is to be written on which.
        obstacles: shapes and their names.
    """
    places: dict[str, Bounds] = {}
    for name, caption in captions.items():
        size = flow_label_size(caption)
        if size is None:
            continue
        others = [line for other, line in lines.items() if other != name]
        covered = [*obstacles, *places.values()]
        free = [
            (cost + sum(_OTHER_LINE for line in others if crosses(line, bounds)), at, bounds)
            for at, (cost, bounds) in enumerate(_candidates(lines[name], size))
            if not any(map(bounds.overlaps, covered))
        ]
        if free:
            places[name] = min(free)[2]
    return places


def _candidates(line: Line, size: tuple[float, float]) -> list[tuple[float, Bounds]]:
    """Places on a line with what speaks against each."""
    return [
        (number * _LATER + preference + _shortness(start, end, size) + beside, bounds)
        for number, (start, end) in enumerate(pieces_of(line))
        for preference, share in enumerate(_SHARES)
        for beside, bounds in enumerate(_around(start, end, share, size))
    ]


def _shortness(start: Point, end: Point, size: tuple[float, float]) -> float:
    length, needed = (abs(end.x - start.x), size[0]) if start.y == end.y else (abs(end.y - start.y), size[1])
    return 0.0 if length >= needed + 24 else _TOO_SHORT


def _around(start: Point, end: Point, share: float, size: tuple[float, float]) -> tuple[Bounds, Bounds]:
    """The place of a name that share of the way from the start to the end: on the line, and above or right of it."""
    x, y = start.x + (end.x - start.x) * share, start.y + (end.y - start.y) * share
    on_it = Bounds(x - size[0] / 2, y - size[1] / 2, *size)
    if start.y == end.y:
        return on_it, on_it.moved(0, -size[1] / 2 - _BESIDE)
    return on_it, on_it.moved(size[0] / 2 + _BESIDE, 0)
