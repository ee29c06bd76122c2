"""What a question about an order can be answered with at once: the suggestion with its date, and plain decisions."""

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final

from pydantic import ValidationError

from schemas.orders.reviews import DecisionMade
from schemas.orders.step_inputs import ReviewInput
from statemachine.orders.intents import INTENTS, Intent
from storage.core.unit_of_work import UnitOfWork
from storage.engine.clock import BusinessClock
from storage.orders.orders import Orders
from storage.people.reviews import Review
from tasks.orders.rules.agreement import postponed
from tasks.orders.rules.context import Context
from tasks.people.question_form import ReadyAnswer

_CLASSIFY: Final = "classify"
_NAMES: Final[Mapping[str, str]] = MappingProxyType({"recontact": "重新联系客户", "retry": "重试这一步"})
_WEEKDAYS: Final = "一二三四五六日"


def ready_answers(work: UnitOfWork, context: Context, review: Review) -> list[ReadyAnswer]:
    """What decides an open question as it stands; nothing where it asks for a form."""
    if review.form is not None:
        return []
    suggested = _suggested(work, context, review)
    plain = [ReadyAnswer(_NAMES.get(each, each), {"decision": each}) for each in review.decisions]
    return [each for each in (*suggested, *plain) if _is_complete(each.payload)]


def _suggested(work: UnitOfWork, context: Context, review: Review) -> list[ReadyAnswer]:
    """What the customer's words were taken for, where a person may agree to it by one press."""
    level2 = ReviewInput.of(review.context).intent_level2
    intent = next((each for each in INTENTS.values() if each.level2 == level2 and each.action), None)
    if intent is None or _CLASSIFY not in review.decisions or review.task_id is None:
        return []
    answer: dict[str, Any] = {"decision": _CLASSIFY, "intent_level2": intent.level2.value}
    order = Orders(work).find([review.task_id]).get(review.task_id)
    # Of several people who must agree, each would have seen another minute: the date is left to the rule then.
    if intent.followup_days is None or order is None or review.quorum > 1:
        return [ReadyAnswer(intent.level2.value, answer)]
    now = BusinessClock(work).now().business_now
    then = postponed(context, order, intent.followup_days, now, []).astimezone(context.zone(order))
    then = then.replace(second=0, microsecond=0)
    return [ReadyAnswer(_dated(intent, then), answer | {"followup_at": then.isoformat()})]


def _dated(intent: Intent, then: datetime) -> str:
    weekday = _WEEKDAYS[then.weekday()]
    return f"{intent.level2.value}，{then.month}月{then.day}日 周{weekday} {then:%H:%M} 再联系"


def _is_complete(payload: Mapping[str, Any]) -> bool:
    try:
        DecisionMade.model_validate(dict(payload))
    except ValidationError:
        return False
    return True
