"""The routes of a person's accounts in messengers: a code that binds one, the list, the end of one."""

from typing import Annotated

from fastapi import APIRouter, Path, Response

from api.server.authentication import requires
from api.server.errors import documented
from api.server.refusal import Refusal, unknown
from api.server.route import Route
from api.server.services import Caller, GivenParts
from schemas.access.im import ImCodeMade, ImIdentityList, ImIdentityView
from schemas.access.scopes import Scope
from schemas.core.error import Code
from schemas.core.form import Succeeded
from schemas.core.identifier import Identifier
from tasks.im.bindings import list_identities, new_binding_code, remove_identity

router = APIRouter(prefix="/auth", tags=["access"], route_class=Route)

IdentityId = Annotated[Identifier, Path(description="The id of the account in the list of them.")]


@router.post(
    "/im-code",
    summary="Let an account in a messenger be bound",
    # No answer of this route is kept for a repetition: it holds the code.
    dependencies=[requires(Scope.READ, repeatable=True)],
    responses=documented(Code.STATE_CONFLICT),
)
def make_im_code(parts: GivenParts, caller: Caller, response: Response) -> ImCodeMade:
    """Whoever sends the code to the bot within 10 minutes answers as this person from then on.

    A new code replaces the one before. 409 for a key that is no person's.
    """
    made = new_binding_code(parts.database, caller)
    if made is None:
        raise Refusal(Code.STATE_CONFLICT, "this key is no person's: nobody answers by it in a messenger")
    response.headers["Cache-Control"] = "no-store"
    return ImCodeMade(code=made.code, expires_at=made.expires_at)


@router.get("/im-identities", summary="One's own accounts in messengers", dependencies=[requires(Scope.READ)])
def list_own_identities(parts: GivenParts, caller: Caller) -> ImIdentityList:
    """Those whose answers are this person's; of a key that is no person's none."""
    found = list_identities(parts.database, caller)
    return ImIdentityList(identities=[ImIdentityView.model_validate(each) for each in found])


@router.delete(
    "/im-identities/{identity_id}",
    summary="Let an account in a messenger be nobody's",
    dependencies=[requires(Scope.READ)],
    responses=documented(Code.NOT_FOUND),
)
def remove_own_identity(identity_id: IdentityId, parts: GivenParts, caller: Caller) -> Succeeded:
    """What it answers counts no more; 404 for one that is not this person's."""
    if not remove_identity(parts.database, caller, identity_id):
        raise unknown("identity", identity_id)
    return Succeeded()
