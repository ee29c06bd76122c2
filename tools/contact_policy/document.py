"""The schema of `config/policies/contact.yaml`, and its conversion to `ContactPolicy`."""

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Final

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from schemas.core.configuration import read_policy_file
from schemas.orders.contact import Channel, ContactResult
from tools.contact_policy.policy import ContactPolicy, ContactWindow, DailyBudget, NumberCap

_LONGEST_HOURS: Final = 24 * 30
_LONGEST_SECONDS: Final = 3600 * _LONGEST_HOURS


def _window(value: object) -> ContactWindow:
    if not isinstance(value, str):
        raise ValueError("a window is written as 09:00-12:00")  # noqa: TRY004 - pydantic reports ValueError per field
    return ContactWindow.parse(value)


WindowText = Annotated[ContactWindow, BeforeValidator(_window)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)


class NumberCapDocument(_Part):
    """One rolling limit per phone number."""

    limit: int = Field(ge=1, le=100_000)
    period_seconds: int = Field(ge=1, le=_LONGEST_SECONDS)


class ContactPolicyDocument(_Part):
    """One named policy as written in the file; every duration carries its unit in its name."""

    max_attempts: int = Field(ge=1, le=20)
    max_rounds: int = Field(ge=1, le=100)
    channels: tuple[Channel, ...]
    voice_ends_after: frozenset[ContactResult]
    max_per_day: int | None = Field(ge=1, le=1_000)
    gap_hours: float = Field(ge=0, le=_LONGEST_HOURS)
    working_day_windows: tuple[WindowText, ...]
    weekend_windows: tuple[WindowText, ...]
    contact_on_holidays: bool
    number_caps: tuple[NumberCapDocument, ...]
    answer_wait_hours: float = Field(gt=0, le=_LONGEST_HOURS)
    call_result_deadline_seconds: int = Field(ge=1, le=86_400)
    undo_window_seconds: int = Field(ge=0, le=_LONGEST_SECONDS)
    horizon_days: int = Field(default=60, ge=7, le=366)
    daily_budgets: dict[Channel, Annotated[int, Field(ge=0, le=100_000_000)] | None] = Field(
        default_factory=dict
    )

    @model_validator(mode="after")
    def _whole_is_consistent(self) -> "ContactPolicyDocument":
        self.policy("checked")
        return self

    def policy(self, name: str) -> ContactPolicy:
        """Return the policy of that name.

        Raises:
            ValueError: the fields do not fit one another.
        """
        return ContactPolicy(
            name=name,
            max_attempts=self.max_attempts,
            max_rounds=self.max_rounds,
            channels=self.channels,
            voice_ends_after=self.voice_ends_after,
            max_per_day=self.max_per_day,
            gap=timedelta(hours=self.gap_hours),
            working_day_windows=self.working_day_windows,
            weekend_windows=self.weekend_windows,
            contact_on_holidays=self.contact_on_holidays,
            number_caps=tuple(
                NumberCap(cap.limit, timedelta(seconds=cap.period_seconds)) for cap in self.number_caps
            ),
            answer_wait=timedelta(hours=self.answer_wait_hours),
            call_result_deadline=timedelta(seconds=self.call_result_deadline_seconds),
            undo_window=timedelta(seconds=self.undo_window_seconds),
            horizon_days=self.horizon_days,
            daily_budgets=tuple(
                DailyBudget(channel, most) for channel, most in self.daily_budgets.items() if most is not None
            ),
        )


class ContactPoliciesDocument(_Part):
    """The content of the policy file: policies by name."""

    policies: dict[str, ContactPolicyDocument] = Field(min_length=1)


def load_policies(path: Path) -> Mapping[str, ContactPolicy]:
    """Return the file's policies by name.

    Raises:
        PolicyFileError: the file cannot be used; the message names the field.
    """
    document = read_policy_file(path, ContactPoliciesDocument)
    return MappingProxyType({name: part.policy(name) for name, part in document.policies.items()})
