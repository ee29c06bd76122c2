"""A diagram: where the elements of a model stand."""

from dataclasses import dataclass, replace

from tools.diagrams.geometry import Bounds, Line, around, moved_line


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """An element as a rectangle."""

    element: str
    """Its id."""
    bounds: Bounds
    label: Bounds | None = None
    """Where its name stands, of one that has its name beside it."""
    expanded: bool = False
    """That what is in it is drawn in it."""
    horizontal: bool | None = None
    """Of a pool or a lane: whether it lies."""
    marked: bool = False
    """Of an exclusive gateway: that its cross is shown."""

    def moved(self, x: float, y: float) -> "Shape":
        """The same so much further right and down."""
        return replace(self, bounds=self.bounds.moved(x, y), label=self.label and self.label.moved(x, y))


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """A connection as a line, from its source's border to its target's."""

    element: str
    """Its id; one that has none (an association) is `source target`."""
    line: Line
    label: Bounds | None = None
    has_id: bool = True

    def moved(self, x: float, y: float) -> "Edge":
        """The same so much further right and down."""
        return replace(self, line=moved_line(self.line, x, y), label=self.label and self.label.moved(x, y))


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagram:
    """The elements of a model with their places; what is around others is before them."""

    shapes: tuple[Shape, ...] = ()
    edges: tuple[Edge, ...] = ()
    element: str | None = None
    """The id of the collaboration or process that it is of."""

    @property
    def bounds(self) -> Bounds:
        """What it takes up, labels too."""
        return around(
            [
                *(shape.bounds for shape in self.shapes),
                *(shape.label for shape in self.shapes if shape.label is not None),
                *(edge.label for edge in self.edges if edge.label is not None),
            ],
            [point for edge in self.edges for point in edge.line],
        )

    def moved(self, x: float, y: float) -> "Diagram":
        """The same so much further right and down."""
        return replace(
            self,
            shapes=tuple(shape.moved(x, y) for shape in self.shapes),
            edges=tuple(edge.moved(x, y) for edge in self.edges),
        )

    def beside(self, other: "Diagram") -> "Diagram":
        """Both in one."""
        return replace(self, shapes=self.shapes + other.shapes, edges=self.edges + other.edges)
