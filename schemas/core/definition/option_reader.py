"""From the written form of what steps and workflows ask for to the engine's grammar."""

from collections.abc import Sequence

from schemas.core.definition.compiling import Compiling
from schemas.core.definition.option_bodies import CatchBody, ConcurrencyBody, RateBody, RetryBody
from schemas.core.definition.step_body import StepBody
from statemachine.workflow.options.agent_choice import AgentChoice
from statemachine.workflow.options.called_workflow import CalledWorkflow
from statemachine.workflow.options.catches import Catch
from statemachine.workflow.options.emission import Emission, EmissionKind
from statemachine.workflow.options.gateways import Join
from statemachine.workflow.options.human import Escalation, HumanRules
from statemachine.workflow.options.limits import Concurrency, Rate
from statemachine.workflow.options.loops import WIDEST, ForEach, Repeat
from statemachine.workflow.options.retry import RetryPolicy


def retries(written: Sequence[RetryBody]) -> tuple[RetryPolicy, ...]:
    """The retry policies, in their order."""
    return tuple(
        RetryPolicy(
            max_retries=body.max_retries,
            delay_ms=round(body.delay_seconds * 1000),
            backoff=body.backoff,
            longest_delay_ms=round(body.longest_seconds * 1000),
            jitter=body.jitter,
            codes=body.on,
        )
        for body in written
    )


def catches(written: Sequence[CatchBody], compiling: Compiling, field: str) -> tuple[Catch, ...]:
    """What is caught, in its order."""
    return tuple(
        Catch(
            kind=body.kind,
            name=body.message or body.signal or "",
            key=None if body.message is None else compiling.value(body.key, field, at, "key"),
            timer=compiling.optional(body.timer, field, at, "timer"),
            condition=compiling.condition(body.condition, field, at, "condition"),
            codes=() if body.error is None and body.escalation is None else _codes(body),
            interrupts=body.interrupts,
            next=body.next,
        )
        for at, body in enumerate(written)
    )


def concurrency(written: ConcurrencyBody | None, compiling: Compiling) -> Concurrency | None:
    """How many at the same time."""
    if written is None:
        return None
    key = compiling.optional(written.key, "concurrency", "key")
    return Concurrency(limit=written.limit, key=key, when_full=written.when_full)


def rate(written: RateBody | None, compiling: Compiling) -> Rate | None:
    """How many in a while."""
    if written is None:
        return None
    key = compiling.optional(written.key, "rate", "key")
    return Rate(limit=written.limit, seconds=written.seconds, key=key)


def choice(body: StepBody) -> AgentChoice | None:
    """What an agent needs, where no queue is named; an action without any agent asks for nothing."""
    if isinstance(body.agent, str):
        return AgentChoice() if body.type == "action" and not body.agent else None
    capability = () if body.agent.capability is None else (body.agent.capability,)
    return AgentChoice(
        capabilities=(*capability, *body.agent.capabilities), role=body.agent.role, agent_id=body.agent.id
    )


def human(body: StepBody, compiling: Compiling) -> HumanRules:
    """The rules of a human step."""
    compiling.schema(body.form, "form")
    return HumanRules(
        role=None if body.assign is None else body.assign.role,
        person=_person(body, compiling),
        form=body.form,
        escalations=tuple(
            Escalation(after_seconds=each.after, role=each.to)
            for each in sorted(body.escalate, key=lambda each: each.after)
        ),
        quorum=1 if body.quorum is None else body.quorum.count,
        not_by=body.not_by,
    )


def _person(body: StepBody, compiling: Compiling) -> str | None:
    """The person it is for, as written; none where an expression in it is malformed."""
    known = len(compiling.faults)
    written = None if body.assign is None else body.assign.person
    compiling.optional(written, "assign", "person")
    return written if len(compiling.faults) == known else None


def join(body: StepBody) -> Join | None:
    """How many branches are waited for."""
    match body.join:
        case None:
            return None
        case "all":
            return Join()
        case "any":
            return Join(count=1)
        case written:
            return Join(count=written.count, cancels=written.cancel)


def loop(body: StepBody, compiling: Compiling) -> ForEach | Repeat | None:
    """How often the step is done."""
    if body.repeat is not None:
        condition = compiling.condition(body.repeat.condition, "repeat", "while")
        return None if condition is None else Repeat(condition=condition, most=body.repeat.most)
    each = body.for_each
    if each is None:
        return None
    return ForEach(
        items=compiling.value(each.items, "for_each", "in"),
        name=each.name,
        limit=1 if each.mode == "sequential" else each.limit or WIDEST,
        until=compiling.condition(each.until, "for_each", "until"),
        collects_errors=each.on_item_error == "collect",
        collect=compiling.optional(each.collect, "for_each", "collect"),
    )


def emission(body: StepBody, compiling: Compiling) -> Emission | None:
    """What the step sends."""
    written = {kind: getattr(body, kind.value) for kind in EmissionKind}
    kind = next((kind for kind, name in written.items() if name is not None), None)
    if body.type != "emit" or kind is None:
        return None
    return Emission(
        kind=kind,
        name=compiling.value(written[kind], kind.value),
        key=compiling.optional(body.key, "key"),
        payload=compiling.optional(body.payload, "payload"),
    )


def call(body: StepBody, compiling: Compiling) -> CalledWorkflow | None:
    """The workflow that the step begins."""
    if body.workflow is None:
        return None
    return CalledWorkflow(
        workflow=compiling.value(body.workflow, "workflow"),
        version=body.version,
        waits=body.wait,
        cancels=body.on_cancel == "cancel",
        continues=body.continues,
    )


def _codes(body: CatchBody) -> tuple[str, ...]:
    return tuple(code for code in (body.error or body.escalation or ()) if code != "*")
