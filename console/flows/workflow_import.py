"""Definitions sent by people, as BPMN, YAML or JSON: checked, and kept as drafts."""

from collections.abc import Iterable
from typing import Final

from starlette.responses import Response
from starlette.routing import BaseRoute

from console.flows.workflow_view import Checked, ImportPage, Remark, text_in
from console.server.route import change, page
from console.server.visit import Visit
from schemas.access.scopes import Scope
from schemas.core.bpmn.problems import BpmnProblem
from storage.engine.definitions import ChangedDefinition
from tasks.flows.bpmn_import import BpmnImport, ImportOutcome
from tasks.flows.definitions.sent_text import SentText, examined, keep_draft

LARGEST_FILE: Final = 6 * 1_048_576
"""Bytes that the form may have; a file grows when it is sent as a form."""
_CONFLICT: Final = 409


def show_import(visit: Visit) -> Response:
    """An empty form."""
    return visit.page(ImportPage())


def send(visit: Visit) -> Response:
    """Say what would become of a file, or keep what is in it."""
    text = text_in(visit.form)
    if not text.strip():
        return visit.faulty(ImportPage(form=visit.form.with_faults(text="flows.import.fault.empty")))
    take = _take_bpmn if text.lstrip("\ufeff \n\t").startswith("<") else _take_text
    try:
        checked = take(visit, text, is_kept=visit.form["what"] == "keep")
    except ChangedDefinition as error:
        shown = ImportPage(form=visit.form, refusal="flows.import.refusal.changed", detail=str(error))
        return visit.page(shown, _CONFLICT)
    shown = ImportPage(form=visit.form, checked=checked)
    return visit.faulty(shown) if checked.outcome == ImportOutcome.REJECTED.value else visit.page(shown)


def _take_bpmn(visit: Visit, text: str, *, is_kept: bool) -> Checked:
    """Raises: ChangedDefinition: one of its versions is registered with another body."""
    reader = BpmnImport(visit.parts.database, visit.parts.engine.definition_rules)
    taken = reader.take(text.encode(), actor=visit.login if is_kept else None)
    points = [point for several in taken.open_points.values() for point in several]
    return Checked(
        outcome=taken.outcome.value,
        is_kept=is_kept and taken.outcome is not ImportOutcome.REJECTED,
        drafts=[(str(each.body["workflow"]), str(each.body["version"])) for each in taken.definitions],
        remarks=_told(problems=_of(taken.problems), open_points=_of(points), notes=_of(taken.notes)),
    )


def _take_text(visit: Visit, text: str, *, is_kept: bool) -> Checked:
    """Raises: ChangedDefinition: this version is registered with another body."""
    database, rules = visit.parts.database, visit.parts.engine.definition_rules
    sent = SentText(text.encode(), is_yaml=not text.lstrip().startswith("{"))
    written, problems = examined(sent, database, rules, active=False)
    if problems:
        faults = [Remark(message=each.message, line=each.line, element=each.pointer) for each in problems]
        return Checked(
            outcome=ImportOutcome.REJECTED.value, is_kept=False, drafts=(), remarks=_told(problems=faults)
        )
    _, unmet = examined(sent, database, rules, active=True)
    if is_kept:
        keep_draft(database, written, by=visit.login)
    return Checked(
        outcome=(ImportOutcome.DRAFT if unmet else ImportOutcome.READY).value,
        is_kept=is_kept,
        drafts=[(str(written.body["workflow"]), str(written.body["version"]))],
        remarks=_told(
            open_points=[Remark(message=each.message, line=each.line, element=each.pointer) for each in unmet]
        ),
    )


def _of(problems: Iterable[BpmnProblem]) -> list[Remark]:
    return [Remark(message=each.message, line=each.line, element=each.element) for each in problems]


def _told(**remarks: list[Remark]) -> list[tuple[str, list[Remark]]]:
    """Those kinds of which there is something."""
    return [(kind, several) for kind, several in remarks.items() if several]


ROUTES: Final[tuple[BaseRoute, ...]] = (
    page("/workflows/import", show_import, scope=Scope.WORKFLOWS),
    change("/workflows/import", send, scope=Scope.WORKFLOWS, largest=LARGEST_FILE),
)
"""The routes of sending definitions."""
