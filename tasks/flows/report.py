"""The action `general.report`: a table or a text, kept as Markdown."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from engine.actions import ActionDeclaration, Batch, EffectClass
from engine.effects import NOTHING_REFUSED, EffectRefusal, EffectWriter
from engine.outcomes import Done, Failed, Outcome
from runtime.ids import Prefix, new_id
from schemas.flows.effects import ReportMade
from schemas.flows.general_steps import REPORT
from schemas.outbound.artifacts import ArtifactKind
from schemas.outbound.effects import ProductEvent
from schemas.outbound.product_events import ProductEventType
from storage.core.unit_of_work import UnitOfWork
from storage.engine.steps import StepRow
from storage.flows.reports import NewReport, WrittenReports
from tasks.flows.context import FlowsContext
from tasks.flows.parameters import InvalidInput, own_parameters
from tasks.outbound.artifacts import keep

_MARKDOWN: Final = "text/markdown; charset=utf-8"
LARGEST_REPORT: Final = 262_144
"""Bytes a report may have."""


def _report_all(_: FlowsContext, batch: Batch) -> Mapping[int, Outcome]:
    return {step.step_id: _report(batch, step) for step in batch.steps}


def _report(batch: Batch, step: StepRow) -> Outcome:
    try:
        given = own_parameters(batch, step, REPORT, {})
    except InvalidInput as error:
        return Failed(code="invalid_input", message=str(error))
    body = markdown_of(given)
    if len(body.encode()) > LARGEST_REPORT:
        return Failed(code="too_large", message=f"the report has more than {LARGEST_REPORT:,} bytes")
    report_id = new_id(Prefix.REPORT)
    kept = keep(
        _ready(step, given["title"]), "report.md", body, kind=ArtifactKind.REPORT, media_type=_MARKDOWN
    )
    return Done(
        output={"report_id": report_id, "artifact_ref": kept.reference},
        effects=(
            ReportMade(report_id=report_id, run_id=step.run_id, title=given["title"], body=body),
            *kept.effects,
        ),
    )


def _ready(step: StepRow, title: str) -> ProductEvent:
    kind = ProductEventType.REPORT_READY
    return ProductEvent(
        execution_id=step.run_id,
        task_id=step.subject_id,
        event_type=kind.value,
        stage=kind.stage.value,
        title=kind.value,
        parameters={"report": _line(title)},
        status="ready",
    )


def markdown_of(given: Mapping[str, Any]) -> str:
    """The report of these parameters: its title, its text, its table."""
    parts = [f"# {_line(given['title'])}"]
    if "text" in given:
        parts.append(given["text"].strip())
    if "columns" in given:
        columns = [_cell(each) for each in given["columns"]]
        rows = [[_cell(each) for each in row][: len(columns)] for row in given.get("rows", ())]
        lines = [columns, ["---"] * len(columns), *(row + [""] * (len(columns) - len(row)) for row in rows)]
        parts.append("\n".join(f"| {' | '.join(line)} |" for line in lines))
    return "\n\n".join(parts) + "\n"


def _line(text: str) -> str:
    return " ".join(text.split())


def _cell(value: object) -> str:
    """A value within a row: no bar or line break of its own ends its cell."""
    if value is None:
        return ""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return _line(text).replace("\\", "\\\\").replace("|", "\\|")


def _keep(work: UnitOfWork, effects: Sequence[tuple[int, Any]]) -> Mapping[int, EffectRefusal]:
    WrittenReports(work).keep(
        [NewReport(each.report_id, each.run_id, each.title, each.body) for _, each in effects]
    )
    return NOTHING_REFUSED


ACTION: Final[ActionDeclaration[FlowsContext]] = ActionDeclaration(
    name="general.report", effect=EffectClass.RECORD, work=_report_all, parameters=REPORT, work_seconds=1.0
)
WRITER: Final = EffectWriter(kinds=(ReportMade,), write=_keep)
