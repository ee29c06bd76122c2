"""The policies as they were read: the contact policy, its days, what it says of one order, and an edited file."""

from calendar import monthrange
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import ClassVar, Final

from starlette.responses import Response
from starlette.routing import BaseRoute

from console.server.form import EMPTY, Form
from console.server.route import change, page
from console.server.times import ZONE
from console.server.visit import Visit
from schemas.access.scopes import Scope
from schemas.core.configuration import PolicyFileError
from schemas.people.wording import worded
from tasks.orders.explain.moment_format import span
from tasks.orders.explain.next_step import NextStep, next_step_of
from tasks.orders.people.worklist import business_now
from tools.contact_policy.days import DayWindows, day_windows
from tools.contact_policy.policy import ContactPolicy
from tools.policies.folder import POLICY_FILES, fault_of, look


@dataclass(frozen=True, slots=True, kw_only=True)
class PoliciesPage:
    """What is in force, and what was asked of it."""

    template: ClassVar[str] = "orders/policies.html"
    page: ClassVar[str] = "policies"

    policy: ContactPolicy
    gap: str
    answer_wait: str
    call_result_deadline: str
    undo_window: str
    caps: Sequence[tuple[int, str]]
    """Contacts of a number, and within how long."""
    month: date
    """Its first day."""
    blank: range
    """Places of the calendar before it."""
    days: Sequence[DayWindows]
    before: str
    after: str
    files: Sequence[tuple[str, str | None]]
    """Each file, and what is wrong with it as it lies there now."""
    names: ClassVar[tuple[str, ...]] = POLICY_FILES
    task_id: str = ""
    step: NextStep | None = None
    """What the policy says of the order that was asked about."""
    why: str | None = None
    """Why it may not be contacted now."""
    is_unknown: bool = False
    form: Form = EMPTY
    wrong: str | None = None
    """What is wrong with the edited file."""
    is_usable: bool = False
    """Whether the edited file could be used."""


def show_policies(visit: Visit) -> Response:
    """What is in force; of one order, where one is named."""
    shown, task_id = _page(visit), visit.query.get("task_id", "").strip()
    if not task_id:
        return visit.page(shown)
    with visit.parts.database.snapshot() as work:
        step = next_step_of(work, visit.parts.context, task_id)
    why = worded(step.why, visit.language) if step is not None and step.why is not None else None
    return visit.page(replace(shown, task_id=task_id, step=step, why=why, is_unknown=step is None))


def check_file(visit: Visit) -> Response:
    """Say whether an edited file could be used; nothing is kept of it."""
    name, text, shown = visit.form["name"], visit.form["text"], _page(visit)
    if name not in POLICY_FILES or not text:
        return visit.faulty(replace(shown, form=visit.form.with_faults(text="policies.fault.empty")))
    wrong = fault_of(name, text, visit.parts.settings.contact_policy)
    if wrong is not None:
        return visit.faulty(replace(shown, form=visit.form, wrong=wrong))
    return visit.page(replace(shown, form=visit.form, is_usable=True))


def _page(visit: Visit) -> PoliciesPage:
    context, settings = visit.parts.context, visit.parts.settings
    policy, language = context.policy, visit.language
    month = _month(visit.query.get("month", "")) or business_now(visit.parts.database).astimezone(ZONE).date()
    first, number = month.replace(day=1), monthrange(month.year, month.month)[1]
    found = look(settings.config_folder, settings.contact_policy)
    return PoliciesPage(
        policy=policy,
        gap=span(policy.gap, language),
        answer_wait=span(policy.answer_wait, language),
        call_result_deadline=span(policy.call_result_deadline, language),
        undo_window=span(policy.undo_window, language),
        caps=[(cap.limit, span(cap.period, language)) for cap in policy.number_caps],
        month=first,
        blank=range(first.weekday()),
        days=day_windows(context.calendar, policy, first, number),
        before=f"{first - timedelta(days=1):%Y-%m}",
        after=f"{first + timedelta(days=number):%Y-%m}",
        files=[
            (
                path.name,
                _fault(content, str(path), path.name) if isinstance(content, PolicyFileError) else None,
            )
            for path, content in found.items()
        ],
    )


def _fault(error: PolicyFileError, path: str, name: str) -> str:
    return str(error).replace(path, name)


def _month(text: str) -> date | None:
    try:
        found = date.fromisoformat(f"{text}-01")
    except ValueError:
        return None
    return found if date.min.year < found.year < date.max.year else None


ROUTES: Final[tuple[BaseRoute, ...]] = (
    page("/policies", show_policies),
    change("/policies/check", check_file, scope=Scope.WORKFLOWS),
)
"""The routes of policies."""
