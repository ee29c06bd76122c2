"""What a run of HTTP steps and reports leaves behind."""

from storage.core.unit_of_work import UnitOfWork
from storage.flows.http_requests import HttpRequests, NewRequest, RequestKey
from storage.flows.reports import NewReport, WrittenReports
from storage.outbound.artifacts import Artifacts
from tests.support.outbound.made_artifacts import artifact_of


def keep_request_and_report(work: UnitOfWork, run_id: str) -> None:
    """A request of this run that was answered and called back, a report, and a sensitive artifact."""
    key = RequestKey(1, 1)
    HttpRequests(work).intend([NewRequest(step_id=1, delivery=1, run_id=run_id, tries=0, token_hash=b"hash")])
    HttpRequests(work).conclude(key, "answered", '{"body": "an answer"}')
    HttpRequests(work).keep_callback(key, '"a callback"')
    WrittenReports(work).keep([NewReport("REP1", run_id, "a title", "a body")])
    Artifacts(work).keep([artifact_of(run_id)])
