"""The action `general.http`: an HTTP request, made as often as its method allows.

GET and HEAD may be repeated, PUT and DELETE too, POST and PATCH only where the step says that they are idempotent.
Otherwise the intent is committed before anything leaves, and a request of which nobody knows what became is never
sent again: a person decides.
"""

import hashlib
import json
import secrets
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import asdict, replace
from datetime import timedelta
from typing import Any, Final

from engine.actions import ActionDeclaration, Batch, EffectClass, Resumption
from engine.outcomes import Done, Failed, Outcome, Park, Snooze, TryAgain
from runtime.clock import Clock
from runtime.mask import mask_text
from schemas.flows.general_steps import HTTP, LONGEST_SECONDS
from statemachine.workflow.options.retry import RetryPolicy
from storage.core.unit_of_work import UnitOfWork
from storage.engine.leases import Leases
from storage.engine.steps import StepRow
from storage.flows.http_requests import HttpRequests, NewRequest, RequestKey, StoredRequest
from tasks.flows.context import FlowsContext
from tasks.flows.http_steps.http_call import CALLBACK_HEADER, HttpCall, read_call
from tasks.flows.parameters import InvalidInput, own_parameters
from tools.http_requests.rules import SecretUnusable
from tools.http_requests.sender import RequestAnswer, RequestFault
from tools.retry_after import seconds_of

CALLED_BACK: Final[Mapping[str, Any]] = {"type": "called_back"}
"""The signal that a step's address was called; what was said is in its row."""

_UNANSWERED: Final[Mapping[str, Any]] = {"status": None, "headers": {}, "body": None}
"""What a step returns that was called back before its request was answered."""
_AT_ONCE: Final = 8
"""Requests of one message, all under way at the same time."""
_TOKEN_BYTES: Final = 32
_LONGEST_RETRY_AFTER_SECONDS: Final = 3600.0
_LONGEST_EXCERPT: Final = 200
_NOT_DONE: Final = frozenset({408, 425, 429, 503})
"""Answers that say that nothing was done."""
_TOO_MANY: Final = 429
_SERVER_FAULT: Final = 500


def token_hash(token: str) -> bytes:
    """What is kept of the end of a callback address."""
    return hashlib.sha256(token.encode()).digest()


def _load(
    _: FlowsContext, work: UnitOfWork, steps: Sequence[StepRow]
) -> Mapping[int, Sequence[StoredRequest]]:
    return HttpRequests(work).of_steps([step.step_id for step in steps])


def _request_all(context: FlowsContext, batch: Batch) -> Mapping[int, Outcome]:
    """Make the requests of a batch, all at the same time."""
    decided = {step.step_id: _decide(context, batch, step) for step in batch.steps}
    outcomes = {key: each for key, each in decided.items() if not isinstance(each, HttpCall)}
    calls = {key: each for key, each in decided.items() if isinstance(each, HttpCall)}
    steps = {step.step_id: step for step in batch.steps}
    ready = _intended(context, batch, steps, calls)
    outcomes |= {key: _withheld(batch) for key in calls.keys() - ready.keys()}
    with ThreadPoolExecutor(max_workers=_AT_ONCE) as pool:
        sending: dict[Future[RequestAnswer | RequestFault | None], int] = {
            pool.submit(_sent, context, batch, call): step_id for step_id, call in ready.items()
        }
        for done in as_completed(sending):
            step_id, result = sending[done], done.result()
            call, key = ready[step_id], RequestKey(step_id, steps[step_id].delivery)
            _note(context, call, key, result)
            outcomes[step_id] = _withheld(batch) if result is None else _outcome_of(batch, call, result)
    return outcomes


def _decide(context: FlowsContext, batch: Batch, step: StepRow) -> HttpCall | Outcome:
    """The request of a step, or what becomes of it without one."""
    http = context.http
    try:
        filled = batch.definition_of(step).filled
        known = http.rules.secrets(frozenset() if filled is None else filled.secrets())
        call = read_call(own_parameters(batch, step, HTTP, known), f"{step.run_id}.{step.step_id}")
    except SecretUnusable as error:
        return Failed(code="secret_missing", message=str(error))
    except InvalidInput as error:
        return Failed(code="invalid_input", message=http.mask.text(str(error)))
    stored: Sequence[StoredRequest] = batch.subjects.get(step.step_id, ())
    return _from_what_is_known(context, batch, step, call, stored) or call


def _from_what_is_known(
    context: FlowsContext, batch: Batch, step: StepRow, call: HttpCall, stored: Sequence[StoredRequest]
) -> Outcome | None:
    """What earlier deliveries of the step came to; `None` when it may be sent."""
    for each in stored:
        if each.callback is not None:
            answer = _UNANSWERED if each.answer is None else json.loads(each.answer)
            said = context.http.mask.value(json.loads(each.callback))
            return Done(output={**answer, "callback": said})
    for each in stored:
        if each.tries == step.tries and each.answer is not None:
            return _outcome_of(batch, call, RequestAnswer(**json.loads(each.answer)))
    if call.once and any(each.state == "sending" for each in stored):
        return _unknown("the worker was lost while the request was under way")
    return None


def _intended(
    context: FlowsContext, batch: Batch, steps: Mapping[int, StepRow], calls: Mapping[int, HttpCall]
) -> dict[int, HttpCall]:
    """Those that are sent, the kept ones with their rows committed; one that was taken away meanwhile is not."""
    kept = {step_id for step_id, call in calls.items() if call.is_kept}
    if not kept:
        return dict(calls)
    tokens = {step_id: secrets.token_urlsafe(_TOKEN_BYTES) for step_id in kept if calls[step_id].callback}
    with context.database.transaction() as work:
        ours = Leases(work).lock_ours(kept, batch.lease_id)
        HttpRequests(work).intend(
            [
                NewRequest(
                    step_id=step_id,
                    delivery=steps[step_id].delivery,
                    run_id=steps[step_id].run_id,
                    tries=steps[step_id].tries,
                    token_hash=token_hash(tokens[step_id]) if step_id in tokens else None,
                )
                for step_id in sorted(ours)
            ]
        )
    return {
        step_id: _with_address(context, call, tokens.get(step_id))
        for step_id, call in calls.items()
        if step_id in ours or step_id not in kept
    }


def _with_address(context: FlowsContext, call: HttpCall, token: str | None) -> HttpCall:
    if token is None:
        return call
    address = f"{context.callback_base_url}/callbacks/http/{token}"
    request = replace(call.request, headers={**call.request.headers, CALLBACK_HEADER: address})
    return replace(call, request=request)


def _sent(context: FlowsContext, batch: Batch, call: HttpCall) -> RequestAnswer | RequestFault | None:
    """What came of a request; `None`: it was not sent, for the lease was lost."""
    return None if batch.lease_lost() else context.http.send(call.request)


def _note(
    context: FlowsContext, call: HttpCall, key: RequestKey, result: RequestAnswer | RequestFault | None
) -> None:
    """Commit at once what is known of a kept request, so that a crash before its recording does not lose it."""
    if not call.is_kept or (isinstance(result, RequestFault) and result.may_have_acted):
        return
    with context.database.transaction() as work:
        if isinstance(result, RequestAnswer):
            HttpRequests(work).conclude(key, "answered", json.dumps(asdict(result), ensure_ascii=False))
        else:
            HttpRequests(work).conclude(key, "unsent")


def _outcome_of(batch: Batch, call: HttpCall, result: RequestAnswer | RequestFault) -> Outcome:
    if isinstance(result, RequestAnswer):
        return _judged(batch, call, result)
    if result.code in {"not_allowed", "too_large"}:
        return Failed(code=result.code, message=result.message)
    if call.once and result.may_have_acted:
        return _unknown(result.message)
    if result.code == "invalid_output":
        return Failed(code=result.code, message=result.message)
    return TryAgain(code=result.code, message=result.message)


def _judged(batch: Batch, call: HttpCall, answer: RequestAnswer) -> Outcome:
    """What an answer makes of the step."""
    status = answer.status
    if call.takes(status):
        if not call.callback:
            return Done(output=asdict(answer))
        until = batch.moments.database_now + timedelta(seconds=call.deadline_seconds)
        return Park(until=until, clock=Clock.DATABASE, reason="waiting for its address to be called")
    message = _told(answer)
    if status not in _NOT_DONE and status < _SERVER_FAULT:
        return Failed(code=f"http_{status}", message=message)
    if call.once and status not in _NOT_DONE:
        return _unknown(message)
    code = "rate_limited" if status == _TOO_MANY else f"http_{status}"
    code = "unavailable" if status >= _SERVER_FAULT else code
    after = seconds_of(answer.headers.get("retry-after"), at_most=_LONGEST_RETRY_AFTER_SECONDS)
    return TryAgain(code=code, message=message, after_seconds=after)


def _told(answer: RequestAnswer) -> str:
    """An answer in a few words; what was said has no secret any more."""
    if answer.body is None:
        return f"answered {answer.status}"
    said = answer.body if isinstance(answer.body, str) else json.dumps(answer.body, ensure_ascii=False)
    return f"answered {answer.status}: {mask_text(said)[:_LONGEST_EXCERPT]}"


def _unknown(message: str) -> Failed:
    return Failed(
        code="unknown_outcome", message=f"whether the request was carried out is not known: {message}"
    )


def _withheld(batch: Batch) -> Outcome:
    return Snooze(
        until=batch.moments.database_now, clock=Clock.DATABASE, reason="withheld: the step was taken away"
    )


def _resume(_: FlowsContext, resumption: Resumption) -> Outcome:
    """The worker puts the output together: only it knows the secrets that the other side may have sent back."""
    if resumption.signal.get("type") == "deadline":
        return Failed(code="timeout", message="nobody called the step's address in time")
    return Snooze(
        until=resumption.moments.database_now, clock=Clock.DATABASE, reason="its address was called"
    )


ACTION: Final[ActionDeclaration[FlowsContext]] = ActionDeclaration(
    name="general.http",
    # The strictest that a step of it may be; each decides by its own method.
    effect=EffectClass.ONCE,
    retry=RetryPolicy(max_retries=2, delay_ms=1000, backoff=4.0),
    load=_load,
    work=_request_all,
    resume=_resume,
    largest_batch=lambda _: _AT_ONCE,
    parameters=HTTP,
    work_seconds=LONGEST_SECONDS,
    warm=lambda context: context.http,
)
