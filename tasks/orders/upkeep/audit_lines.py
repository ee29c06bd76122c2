"""Lines of the audit log as they are shown: newest first, without a number of anybody."""

from collections.abc import Sequence
from dataclasses import replace

from runtime.mask import mask_json
from storage.core.database import Database
from storage.orders.audit_logs import AuditFilter, AuditLine, AuditLogs, AuditPlace


def audit_lines(
    database: Database, wanted: AuditFilter, *, before: AuditPlace | None, limit: int
) -> tuple[Sequence[AuditLine], AuditPlace | None]:
    """A page of lines, and the place that the next one begins before; `None` on the last page."""
    with database.snapshot() as work:
        found = AuditLogs(work).find(wanted, before=before, limit=limit + 1)
    page = [replace(line, metadata=mask_json(line.metadata)) for line in found[:limit]]
    return page, page[-1].place if len(found) > limit else None
