"""The route of notices: what staff was told, and what became of it."""

from typing import Annotated

from fastapi import APIRouter, Query

from api.server.authentication import requires
from api.server.route import Route
from api.server.services import GivenParts
from runtime.mask import mask_text
from schemas.access.scopes import Scope
from schemas.outbound.notices import NoticeList, NoticeView, StaffRole
from storage.outbound.notices import Notices

router = APIRouter(prefix="/notices", tags=["people"], route_class=Route)


@router.get("", summary="What staff was told", dependencies=[requires(Scope.ADMIN)])
def list_notices(
    parts: GivenParts,
    role: Annotated[StaffRole | None, Query(description="To this role only.")] = None,
    limit: Annotated[int, Query(ge=1, le=10_000, description="How many at most.")] = 100,
    *,
    failed: Annotated[bool, Query(description="Only those whose last try failed.")] = False,
) -> NoticeList:
    """The newest first; roles without a route in config/notices.yaml are told nothing."""
    with parts.database.transaction() as work:
        found = Notices(work).log(role=role, failed=failed, limit=limit)
    views = [NoticeView.model_validate(notice) for notice in found]
    return NoticeList(notices=[view.model_copy(update={"title": mask_text(view.title)}) for view in views])
