"""Bodies of the routes that let runs go on in another version, and replay ended ones."""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from schemas.core.definition.part import STEP_ID
from schemas.core.form import Answered, Sent, Succeeded
from schemas.flows.workflows import VersionName

_StepId = Annotated[str, Field(pattern=STEP_ID)]
_RunId = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.:\-]{0,63}$")]

MOST_RUNS = 500
"""Runs that one request is about."""
MOST_REPLAYED = 100
"""Runs that one request replays."""


class MigrationAsked(Sent):
    """Open runs of one version are to go on in another."""

    model_config = ConfigDict(populate_by_name=True)

    before: VersionName = Field(alias="from")
    after: VersionName = Field(alias="to")
    steps: Annotated[dict[_StepId, _StepId], Field(max_length=2000, default_factory=dict)]
    """By step of the old version, what it is called in the new one; a step that is not named keeps its id."""
    runs: Annotated[list[_RunId], Field(min_length=1, max_length=MOST_RUNS)] | None = None
    """The ids of runs; null: all that are open in the old version, 500 a request."""
    next: _RunId | None = None
    """What the request before answered as `next`; for all runs alone."""
    dry_run: bool = False
    """Say what would become of the runs, and change nothing."""


class RunMigrationView(Answered):
    """What became of one run, or would in a dry run."""

    run_id: str
    moved: bool
    later: bool
    """An agent is at work on one of its steps: the same request moves it once that is recorded."""
    problems: list[str]
    """Why it was not moved; empty when it was."""


class MigrationDone(Succeeded):
    """What became of the runs, each whole."""

    dry_run: bool
    runs: list[RunMigrationView]
    next: str | None
    """There are more: send the same request with this as `next`; null when these were the last."""


class RunReplayAsked(Sent):
    """Ended runs are to be replayed through a version."""

    runs: Annotated[list[_RunId], Field(min_length=1, max_length=MOST_REPLAYED)] | None = None
    """The ids of runs, of whatever version of the workflow; null: those that were begun last."""
    last: Annotated[int, Field(ge=1, le=MOST_REPLAYED)] = 20
    """How many of them, where no ids are given."""


class DifferenceView(Answered):
    """Where a run would first go another way."""

    step: str | None
    """The step that had ended; null: the run had begun."""
    then: list[str]
    """What was entered then and would not be now; `with other values`: the step is entered both times."""
    now: list[str]
    """What would be entered now and was not then."""


class RunReplayView(Answered):
    """What the replay says of one run."""

    run_id: str
    recorded_in: str | None
    """The version that the run has; null: there is no such run of the workflow."""
    result: Literal["same", "differs", "not_comparable"]
    difference: DifferenceView | None
    reason: str | None
    """Why it is not comparable."""


class Replayed(Answered):
    """What the replay says of each run; nothing was done and nothing was written."""

    runs: list[RunReplayView]
