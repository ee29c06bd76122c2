"""The triage agent's routes: a customer's words are understood, or what was understood is checked."""

import asyncio
from typing import Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from api.orders.agents.contact import ACCEPTED
from api.orders.agents.performance import Prefer, perform, work_alone
from api.orders.errors import conflict
from api.orders.services import GivenOrders, OrdersServices
from api.server.authentication import requires
from api.server.errors import documented
from api.server.language import AskedLanguage
from api.server.refusal import unknown
from api.server.route import Route
from api.server.services import Caller
from schemas.access.scopes import Scope
from schemas.core.error import Code
from schemas.core.language import Language
from schemas.orders.agents.triage import (
    ClassificationWanted,
    Classified,
    Validated,
    ValidationWanted,
)
from schemas.people.reviews import WhyShown
from schemas.people.why import why_in
from storage.access.keys import Key
from storage.orders.contacts.contacts import Contacts
from storage.orders.order import Order
from storage.orders.orders import Orders
from tasks.orders.calls import triage
from tasks.orders.calls.call import Call
from tasks.orders.calls.triage import CustomerWords, TriageCall
from tools.limits import TOOLS

router = APIRouter(tags=["triage"], route_class=Route)


@router.post(
    "/agents/triage/classify",
    summary="Understand what the customer said",
    dependencies=[requires(Scope.TRIAGE)],
    responses=documented(Code.NOT_FOUND, Code.STATE_CONFLICT) | ACCEPTED,
    response_model=Classified,
)
@router.post(
    "/triage/classify",
    summary="Understand what the customer said (short form)",
    dependencies=[requires(Scope.TRIAGE)],
    responses=documented(Code.NOT_FOUND, Code.STATE_CONFLICT) | ACCEPTED,
    response_model=Classified,
    name="classify_short",
)
async def classify(
    body: ClassificationWanted,
    services: GivenOrders,
    caller: Caller,
    language: AskedLanguage,
    prefer: Prefer = None,
) -> Any:
    """The intent of the order's customer, its confidence, and whether a person must look first.

    In a manual order `user_input` is taken as what the customer said, also when the last attempt had come to
    nothing. In one that the fleet drives, the words are those on record, and others answer 409.
    """
    return await perform(services, classification_call(body, services, caller, language), prefer=prefer)


def classification_call(
    body: ClassificationWanted, services: OrdersServices, caller: Key, language: Language = Language.CHINESE
) -> Call[TriageCall]:
    """The call for the classification that this body asks for."""
    said, blind_index = body.user_input, services.parts.context.blind_index
    words = None if said is None else CustomerWords.of(said, body.task_id, blind_index)
    return Call(
        task_id=body.task_id,
        action=triage.ACTION,
        action_type="classify_intent",
        agent_id=caller.agent_id,
        wanted=TriageCall(words=words, language=language),
    )


@router.post(
    "/agents/triage/validate",
    summary="Check a classification",
    dependencies=[requires(Scope.TRIAGE)],
    responses=documented(Code.NOT_FOUND, Code.STATE_CONFLICT) | ACCEPTED,
    response_model=Validated,
)
async def validate_classification(
    body: ValidationWanted, services: GivenOrders, caller: Caller, language: AskedLanguage
) -> Any:
    """Whether rules, model and guards agree with a classification of these words; changes nothing."""
    order, words = await asyncio.to_thread(_words, services, body.task_id)
    text = body.user_input or words
    if text is None:
        raise conflict(order.status, None, "the customer has said nothing yet; give user_input")
    output = await work_alone(
        services,
        "triage.validate_classification",
        {
            "text": text,
            "level1_intent": body.classification.level1_intent.value,
            "level2_intent": body.classification.level2_intent.value,
            "confidence": body.classification.confidence,
        },
        by=caller.agent_id,
        seconds=TOOLS["validate_classification"].timeout_seconds,
    )
    if isinstance(output, JSONResponse):
        return output
    why = [WhyShown.of(each, language) for each in why_in(output["why"])]
    return Validated(
        valid=output["valid"],
        requires_human_review=output["requires_human_review"],
        reasons=[each.text for each in why],
        why=why,
    )


def _words(services: GivenOrders, task_id: str) -> tuple[Order, str | None]:
    with services.parts.database.transaction() as work:
        order = Orders(work).find([task_id]).get(task_id)
        if order is None:
            raise unknown("task", task_id)
        said = [c.user_feedback or c.transcript for c in Contacts(work).of_task(task_id)]
    return order, next((words for words in reversed(said) if words), None)
