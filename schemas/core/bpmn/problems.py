"""What is wrong with a BPMN file, or open in it, with its place for whoever drew it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class BpmnProblem:
    """One thing to be said of a file."""

    message: str
    line: int | None = None
    element: str | None = None
    """The id of the element; without one, its name."""

    def __str__(self) -> str:
        """With its line, as it is shown."""
        return self.message if self.line is None else f"line {self.line}: {self.message}"


class RejectedBpmn(ValueError):
    """A file of which nothing can be kept; every reason, in the order of the file."""

    def __init__(self, *problems: BpmnProblem) -> None:
        self.problems = problems
        super().__init__("; ".join(map(str, problems)))
