"""What the pages of workflows show."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from console.server.form import EMPTY, Form
from storage.engine.definitions import DefinitionVersion


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedWorkflow:
    """A workflow with its versions, the one that was activated last first."""

    name: str
    current: str | None
    """What new runs begin with."""
    versions: Sequence[DefinitionVersion]


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkflowsPage:
    """Every workflow."""

    template: ClassVar[str] = "flows/workflows.html"
    page: ClassVar[str] = "flows.workflows"

    rows: Sequence[ListedWorkflow]


@dataclass(frozen=True, slots=True, kw_only=True)
class Remark:
    """One thing to be said of a definition, with its place."""

    message: str
    line: int | None = None
    element: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkflowPage:
    """A version: its picture, its text, what keeps a draft from being activated."""

    template: ClassVar[str] = "flows/workflow.html"
    page: ClassVar[str] = "flows.workflow"

    version: DefinitionVersion
    current: str | None
    others: Sequence[DefinitionVersion]
    title: str
    steps: Sequence[tuple[str, str]]
    """The id of each step with its title, or with what it is."""
    lines: Sequence[str]
    """The definition as YAML."""
    open_points: Sequence[Remark]
    refusal: str | None = None
    """The key of the words that say why it was not moved."""
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What became of a file that was sent, or would become of it."""

    outcome: str
    """`ready`, `draft`, `rejected`."""
    is_kept: bool
    drafts: Sequence[tuple[str, str]]
    """Workflow and version of each definition in it."""
    remarks: Sequence[tuple[str, Sequence[Remark]]]
    """By kind: `problems`, `open_points`, `notes`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportPage:
    """A definition that is sent: pasted or chosen, checked, kept as a draft."""

    template: ClassVar[str] = "flows/import.html"
    page: ClassVar[str] = "flows.import"

    checked: Checked | None = None
    form: Form = EMPTY
    refusal: str | None = None
    detail: str = ""

    @property
    def text(self) -> str:
        """What stands in the field, with the blanks that it begins with."""
        return text_in(self.form)


def text_in(form: Form) -> str:
    """The text of a file that was sent, its lines ended as in files: a browser sends CR and LF."""
    return "".join(form.all("text")[-1:]).replace("\r\n", "\n")
