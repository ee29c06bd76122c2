"""The twelve tools: listed, and called in the seed's envelope through the same paths as the agents' routes."""

import asyncio
import time
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Annotated, Any, Final, TypeVar

from fastapi import APIRouter, Path
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ValidationError

from api.orders.agents.action import action_call
from api.orders.agents.audit import log_line, raise_alert
from api.orders.agents.contact import ACCEPTED, contact_call
from api.orders.agents.performance import Prefer, perform, work_alone
from api.orders.agents.triage import classification_call, validate_classification
from api.orders.services import GivenOrders, OrdersServices
from api.server.authentication import requires
from api.server.errors import documented
from api.server.language import AskedLanguage
from api.server.refusal import Refusal, invalid, unknown
from api.server.route import Route
from api.server.services import Caller, RequestName
from schemas.access.scopes import Scope
from schemas.core.error import Code
from schemas.core.language import Language
from schemas.core.problems import problems_of
from schemas.orders.agents.action import ActionExecuted, ActionWanted
from schemas.orders.agents.audit import AlertSent, LineLogged
from schemas.orders.agents.contact import ContactInitiated, ContactMade
from schemas.orders.agents.tools import ToolAnswered, ToolCalled, ToolList, ToolView
from schemas.orders.agents.triage import ClassificationWanted, ValidationWanted
from statemachine.workflow.options.call_limits import CallLimits
from storage.access.keys import Key
from tasks.orders.calls.call import Call as OrderCall
from tasks.orders.calls.contact import CHANNEL_OF
from tools.limits import TOOLS, Tool

_SCOPE_OF: Final[Mapping[str, Scope]] = MappingProxyType(
    {
        "contact": Scope.CONTACT,
        "triage": Scope.TRIAGE,
        "action": Scope.ACTIONS,
        "audit": Scope.AUDIT,
    }
)
_MEANING: Final[Mapping[str, str]] = MappingProxyType(
    {
        "contact_user": "电话联系用户",
        "send_sms": "发送短信",
        "send_im": "发送 IM 消息",
        "classify_intent": "意图识别",
        "validate_classification": "分类校验",
        "update_appointment": "修改预约",
        "notify_engineer": "通知工程师",
        "cancel_order": "取消订单",
        "schedule_followup": "安排跟进",
        "log_event": "记录日志",
        "trigger_alert": "触发告警",
        "generate_report": "生成报告",
    }
)
_VERSION: Final = "1.0"
_LONGEST_WAIT: Final = max(tool.timeout_seconds for tool in TOOLS.values())

Model = TypeVar("Model", bound=BaseModel)

router = APIRouter(prefix="/tools", tags=["tools"], route_class=Route)


@dataclass(frozen=True, slots=True)
class _Call:
    """A tool call whose envelope was read."""

    tool: Tool
    given: Mapping[str, Any]
    services: OrdersServices
    caller: Key
    request_id: str
    prefer: str | None
    limits: CallLimits
    language: Language

    @property
    def seconds(self) -> float:
        """How long its caller waits: for the call and its retries, as long as a call of any tool may take."""
        longest = self.limits.longest_seconds(self.tool.timeout_seconds, self.tool.retry)
        return min(longest, _LONGEST_WAIT)

    async def performed(self, call: OrderCall[Any]) -> Any:
        """What came of the step that a tool does in an order, within the envelope's limits."""
        limited = replace(call, limits=self.limits)
        return await perform(self.services, limited, prefer=self.prefer, seconds=self.seconds)


@router.get("", summary="Every tool", dependencies=[requires(Scope.READ)])
async def list_tools() -> ToolList:
    """The tools with their agents, limits and what each may do to the world (seed 000 section 五)."""
    return ToolList(
        tools=[
            ToolView(
                tool_name=tool.name,
                tool_version=_VERSION,
                agent=tool.agent,
                description=_MEANING[tool.name],
                timeout_ms=tool.timeout_ms,
                effect=tool.effect,
                max_retries=tool.retry.max_retries,
                retry_delay_ms=tool.retry.delay_ms,
            )
            for tool in TOOLS.values()
        ]
    )


@router.post(
    "/{name}/call",
    summary="Call a tool",
    dependencies=[requires(Scope.READ)],
    responses=documented(Code.NOT_FOUND, Code.STATE_CONFLICT) | ACCEPTED,
    response_model=ToolAnswered,
)
async def call_tool(
    name: Annotated[str, Path(max_length=64, description="A name of `GET /v1/tools`.")],
    body: ToolCalled,
    services: GivenOrders,
    caller: Caller,
    request_id: RequestName,
    language: AskedLanguage,
    prefer: Prefer = None,
) -> Any:
    """`input` is the body of the agent's own route: with `task_id` for a tool that works on an order.

    `timeout_ms` is the deadline of one call of the tool and `retry_policy` says how a call that failed is repeated,
    both up to the tool's own numbers. They hold for a step that this call takes; in an order that the fleet drives
    they say how long this waits. The key needs the scope of the tool's agent. Calling is idempotent where the route
    is: no contact is made twice for one attempt, no action twice for one round.
    """
    tool = TOOLS.get(name)
    if tool is None:
        raise unknown("tool", name)
    if _SCOPE_OF[tool.agent] not in caller.scopes:
        raise Refusal(Code.FORBIDDEN, "this key may not do this")
    if body.tool_name not in (None, name):
        raise invalid([("tool_name", "is not the tool of the path")])
    called = _Call(tool, body.input, services, caller, request_id, prefer, body.limits, language)
    began = time.perf_counter()
    answer = await _BY_NAME.get(name, _act)(called)
    if isinstance(answer, JSONResponse):
        return answer
    output = answer.model_dump(mode="json") if isinstance(answer, BaseModel) else dict(answer)
    output.pop("success", None)
    return ToolAnswered(output=output, execution_time_ms=round((time.perf_counter() - began) * 1000))


async def _contact(call: _Call) -> Any:
    """A contact; `phone` and `script` are what the seed's envelope calls them."""
    given = dict(call.given)
    for ours, seeds in (("phone_number", "phone"), ("script_id", "script")):
        if seeds in given:
            given[ours] = given.pop(seeds)
    wanted = _read(ContactInitiated, {**given, "contact_method": CHANNEL_OF[call.tool.name]})
    made = await call.performed(await contact_call(wanted, call.services, call.caller))
    if not isinstance(made, ContactMade):
        return made
    return {
        "contact_result": made.result,
        "duration": made.duration_seconds,
        "transcript": made.transcript,
        "contact_id": made.contact_id,
        "recording_url": made.recording_url,
    }


async def _classify(call: _Call) -> Any:
    if "task_id" in call.given:
        wanted = _read(ClassificationWanted, call.given)
        called = classification_call(wanted, call.services, call.caller, call.language)
        return await call.performed(called)
    return await _alone(call, "triage.classify_text")


async def _validate(call: _Call) -> Any:
    if "task_id" in call.given:
        wanted = _read(ValidationWanted, call.given)
        return await validate_classification(wanted, call.services, call.caller, call.language)
    return await _alone(call, "triage.validate_classification")


async def _act(call: _Call) -> Any:
    given = dict(call.given)
    known: dict[str, Any] = {
        name: given.pop(name) for name in ("task_id", "requires_approval") if name in given
    }
    parameters = given.pop("action_params", given)
    wanted = _read(ActionWanted, {**known, "action_type": call.tool.name, "action_params": parameters})
    asked = await action_call(wanted, call.services, call.caller)
    return asked if isinstance(asked, ActionExecuted) else await call.performed(asked)


async def _log(call: _Call) -> Any:
    line, parts = _read(LineLogged, call.given), call.services.parts
    return await asyncio.to_thread(log_line, line, parts, call.caller, call.request_id)


async def _alert(call: _Call) -> Any:
    alert, parts = _read(AlertSent, call.given), call.services.parts
    return await asyncio.to_thread(raise_alert, alert, parts, call.caller, call.request_id)


async def _report(call: _Call) -> Any:
    return await _alone(call, "audit.generate_report")


async def _alone(call: _Call, task_type: str) -> Any:
    return await work_alone(
        call.services, task_type, call.given, by=call.caller.agent_id, seconds=call.seconds
    )


_BY_NAME: Final[Mapping[str, Callable[[_Call], Coroutine[Any, Any, Any]]]] = MappingProxyType(
    {
        **dict.fromkeys(CHANNEL_OF, _contact),
        "classify_intent": _classify,
        "validate_classification": _validate,
        "log_event": _log,
        "trigger_alert": _alert,
        "generate_report": _report,
    }
)
"""What carries out a tool; one that is not here is an action."""


def _read(model: type[Model], given: Mapping[str, Any]) -> Model:
    try:
        return model.model_validate(dict(given))
    except ValidationError as error:
        raise invalid([(f"input.{p.field}", p.message) for p in problems_of(error, "this tool")]) from error
