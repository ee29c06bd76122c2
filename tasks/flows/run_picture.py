"""A picture of where a run stands: its definition, with what is done, open and failed, and how often."""

from storage.core.unit_of_work import UnitOfWork
from storage.engine.definitions import Definitions
from storage.engine.runs import RunRow
from storage.flows.executions import Executions
from tasks.flows.bpmn_export import picture_of
from tools.diagrams.position import NodeCounts, RunPosition


def run_picture(work: UnitOfWork, run: RunRow) -> str:
    """The diagram of the run's version as SVG."""
    steps = Executions(work).progress(run.run_id)
    body = Definitions(work).find(run.workflow, run.version)
    # A run of a single action has no definition of its own.
    alone = {"workflow": "action", "version": "1", "steps": [{"id": each.node} for each in steps]}
    position = RunPosition(
        nodes={
            each.node: NodeCounts(done=each.times_done, open=each.times_open, failed=each.times_failed)
            for each in steps
        }
    )
    return picture_of(body or alone, position)
