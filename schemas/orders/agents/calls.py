"""Request and response bodies of calls that are not waited for."""

from typing import Any, Literal, Self

from pydantic import ConfigDict, Field, model_validator

from runtime.mask import mask_json
from runtime.personal import PersonalFields
from schemas.core.form import Answered, GivenMoment, Moment, Sent, Succeeded, Text, storable_object
from schemas.core.identifier import Identifier
from schemas.orders.followup import FollowupDays, FollowupRuleGiven, at_most_one

AgentName = Literal["orchestrator", "contact_agent", "triage_agent", "action_agent", "audit_agent"]
ActionName = Literal["update_appointment", "notify_engineer", "cancel_order", "schedule_followup"]
DispatchStatus = Literal["waiting", "done", "failed", "cancelled"]


class CallAccepted(Succeeded):
    """The step is with its agent; ask at `poll` what came of it, or send the same call again."""

    status: Literal["accepted"] = "accepted"
    task_id: str
    dispatch_id: str
    poll: str


class DispatchState(Answered):
    """What became of a call."""

    dispatch_id: str
    task_id: str
    target_agent: str
    action_type: str
    status: DispatchStatus
    output: dict[str, Any] | None
    """What the step returned, once it is done."""
    error: dict[str, Any] | None
    dispatched_at: Moment


class ActionParameters(Sent):
    """What an action is given; further fields are kept with it."""

    model_config = ConfigDict(extra="allow", frozen=True)

    followup_date: GivenMoment | None = None
    """When the customer is to be contacted again; in the past: at once."""
    followup_days: FollowupDays | None = None
    """In how many days, at the next permitted time; at most one of the three ways to say when."""
    followup_rule: FollowupRuleGiven | None = None
    """When, round after round; a date of the customer's own wins for its round."""
    visit_at: GivenMoment | None = None
    engineer_id: Identifier | None = None
    reason: Text | None = Field(default=None, max_length=200)

    @model_validator(mode="before")
    @classmethod
    def _storable(cls, given: Any) -> Any:
        return storable_object(given) if isinstance(given, dict) else given

    @model_validator(mode="after")
    def _one_way_to_say_when(self) -> Self:
        at_most_one(
            followup_date=self.followup_date,
            followup_days=self.followup_days,
            followup_rule=self.followup_rule,
        )
        return self

    def as_given(self, personal: PersonalFields) -> dict[str, Any]:
        """As the step gets it: personal fields masked, for it is kept in clear and written to engineers."""
        given: dict[str, Any] = mask_json(personal.mask(self.model_dump(mode="json", exclude_none=True)))
        return given


class DispatchRequested(Sent):
    """A step to be passed to the named agent."""

    task_id: Identifier
    target_agent: AgentName
    action_type: Text = Field(min_length=1, max_length=32)
    action_params: ActionParameters = Field(default_factory=ActionParameters)


class Dispatched(Succeeded):
    """The step is with the agent."""

    dispatch_id: str
    target_agent: str
    status: Literal["dispatched", "already_done"] = "dispatched"
