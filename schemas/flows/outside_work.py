"""Bodies by which outside agents ask for steps and report on them."""

from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, Field

from schemas.core.form import Answered, Remark, Sent, Succeeded, storable_object, storable_output
from schemas.core.identifier import Identifier
from schemas.core.whole_number import WholeNumber
from schemas.flows.agents import AgentStatus

LONGEST_WAIT_SECONDS: Final = 30
"""How long a poll may wait for work."""
MOST_STEPS: Final = 100
"""Steps one poll may ask for."""


class WorkPolled(Sent):
    """An agent asks for steps."""

    max: WholeNumber = Field(default=1, ge=1, le=MOST_STEPS)
    """Steps it wants; it is given no more than it may hold."""
    wait_seconds: float = Field(default=0.0, ge=0, le=LONGEST_WAIT_SECONDS)
    """How long to wait for the first of them; the answer comes as soon as there is one."""


class StepNamed(Answered):
    """A step of outside agents: what is to be done, and for what."""

    step_id: int
    action: str
    """What the work is called."""
    task_id: str
    workflow: str
    node: str
    """The step of the workflow."""
    priority: int
    """10 is the most urgent."""


class OfferedStepView(StepNamed):
    """A step that this agent could be given."""

    input: dict[str, Any]
    """What led to the step gave it, with its own parameters."""


class GivenStep(StepNamed):
    """A step that an agent holds from now on."""

    lease_id: str
    """Goes with everything that is reported on the step."""
    lease_seconds: float
    """How long the agent may be silent about the step before the step goes to another."""
    idempotency_key: str
    """The same for every agent and every try: what is done outside with it is done once."""
    delivery: int
    """How often the step has been given, counted from 1."""
    parameters: dict[str, Any]
    """Those that the workflow names for the step."""
    input: dict[str, Any]
    """What led to the step gave it, with its own parameters."""
    progress: dict[str, Any] | None
    """What the last agent said of how far it was."""


class WorkGiven(Answered):
    """What an agent was given; with no step, none came in time or it may have none."""

    agent_id: str
    status: AgentStatus
    """`draining` or `offline`: it is given nothing until it registers again."""
    steps: list[GivenStep]


class WorkOffered(Answered):
    """What an agent could be given, most urgent first."""

    agent_id: str
    steps: list[OfferedStepView]


class StepHeartbeat(Sent):
    """An agent is still at a step."""

    lease_id: Identifier
    progress: Annotated[dict[str, Any], AfterValidator(storable_object)] | None = None
    """How far it is; whoever is given the step next is told."""


class StepHeartbeatTaken(Succeeded):
    """The lease was prolonged, or the step was cancelled and nobody waits for it."""

    cancelled: bool
    lease_seconds: float


class StepCompleted(Sent):
    """An agent has done a step."""

    lease_id: Identifier
    output: Annotated[dict[str, Any], AfterValidator(storable_output)] = Field(default_factory=dict)


class StepFailed(Sent):
    """An agent could not do a step."""

    lease_id: Identifier
    code: Identifier
    message: Annotated[Remark, Field(max_length=2_000)] = ""
    retry: bool = False
    """Whether another try may succeed; how often, the step's retry policy says."""


class StepReleased(Sent):
    """An agent gives a step back: another may have it, and it counts as no try."""

    lease_id: Identifier


class StepReported(Succeeded):
    """What was reported is recorded; the same again has the same answer."""

    step_id: int
    outcome: Literal["completed", "failed", "returned"]
    """`returned`: it is offered again, at once or after the wait of its retry policy."""
