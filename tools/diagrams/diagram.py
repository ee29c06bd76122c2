"""A diagram: where the elements of a model stand."""

from dataclasses import dataclass

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
    horizontal: bool = True
    """Of a pool or a lane: that it lies."""

    def moved(self, x: float, y: float) -> "Shape":
        """The same so much further right and down."""
        return Shape(
            element=self.element,
            bounds=self.bounds.moved(x, y),
            label=self.label and self.label.moved(x, y),
            expanded=self.expanded,
            horizontal=self.horizontal,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """A connection as a line, from its source's border to its target's."""

    element: str
    """Its id; one that has none (an association) is `source target`."""
    line: Line
    label: Bounds | None = None

    def moved(self, x: float, y: float) -> "Edge":
        """The same so much further right and down."""
        return Edge(
            element=self.element,
            line=moved_line(self.line, x, y),
            label=self.label and self.label.moved(x, y),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagram:
    """The elements of a model with their places; what is around others is before them."""

    shapes: tuple[Shape, ...] = ()
    edges: tuple[Edge, ...] = ()

    @property
    def bounds(self) -> Bounds:
        """What it takes up, labels too."""
        return around(
            [
                *(shape.bounds for shape in self.shapes),
                *(one.label for one in (*self.shapes, *self.edges) if one.label is not None),
            ],
            [point for edge in self.edges for point in edge.line],
        )

    def moved(self, x: float, y: float) -> "Diagram":
        """The same so much further right and down."""
        return Diagram(
            shapes=tuple(shape.moved(x, y) for shape in self.shapes),
            edges=tuple(edge.moved(x, y) for edge in self.edges),
        )

    def beside(self, other: "Diagram") -> "Diagram":
        """Both in one."""
        return Diagram(shapes=self.shapes + other.shapes, edges=self.edges + other.edges)
