"""Moves an open run to another version of its definition, whole or not at all, within one transaction."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Final

from engine.registry import Registry
from schemas.core.parameters import problems_with
from statemachine.workflow.checks.purposes import unmet_needs
from statemachine.workflow.states import OPEN_RUNS, StepState
from statemachine.workflow.versions.version_change import (
    OUR_OWN,
    JoinWaiting,
    OpenRow,
    VersionChange,
    Waiting,
)
from storage.core.unit_of_work import UnitOfWork
from storage.engine.flow.migrated_runs import MigratedRuns, NewName, NewWork
from storage.engine.flow.subscriptions import EventSubscription
from storage.engine.runs import RunRow, Runs
from storage.engine.steps import StepRow, Steps

_ASK_AGAIN: Final = "an agent is at work on step '{}'; ask again once its result is recorded"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunMigration:
    """What became of one run, or would."""

    run_id: str
    problems: tuple[str, ...] = ()
    """Why it was not moved."""
    later: bool = False
    """Whether the same request moves it once what is under way in it is recorded."""

    @property
    def moved(self) -> bool:
        """Whether it goes on in the new version."""
        return not self.problems


@dataclass(frozen=True, slots=True)
class Migrating:
    """Moves runs by one change of versions, each in the transaction that is given."""

    registry: Registry
    change: VersionChange
    by: str
    dry_run: bool

    def move(self, work: UnitOfWork, run_id: str) -> RunMigration:
        """Move a run, or say why it does not move; with `dry_run` nothing is changed."""
        before = self.change.before
        run = next(iter(Runs(work).lock([run_id])), None)
        if run is None or run.workflow != before.name:
            return RunMigration(run_id=run_id, problems=(f"workflow '{before.name}' has no such run",))
        if run.version != before.version:
            return RunMigration(run_id=run_id, problems=(f"it is of version {run.version}",))
        if run.state not in OPEN_RUNS:
            return RunMigration(run_id=run_id, problems=(f"it has ended: {run.state.value}",))
        rows = Steps(work).lock(Steps(work).open_of(run_id))
        opened = {row.step_id for row in rows}
        waits = [
            each
            for each in MigratedRuns(work).subscriptions(run_id)
            if each.step_id is None or each.step_id in opened
        ]
        problems = tuple(dict.fromkeys(self._problems(work, run, rows, waits)))
        leased = [row.node for row in rows if row.state is StepState.LEASED]
        if problems or leased:
            return RunMigration(
                run_id=run_id,
                problems=(*problems, *(_ASK_AGAIN.format(node) for node in leased)),
                later=not problems,
            )
        if not self.dry_run:
            self._write(work, run, rows, waits)
        return RunMigration(run_id=run_id)

    def _problems(
        self, work: UnitOfWork, run: RunRow, rows: Sequence[StepRow], waits: Sequence[EventSubscription]
    ) -> Iterator[str]:
        change = self.change
        by_id = {row.step_id: row for row in rows}
        opened = [_open_step(row, by_id) for row in rows]
        for row in opened:
            yield from change.step_problems(row)
        for subscription in waits:
            yield from change.wait_problems(_waiting(subscription, by_id))
        arrivals = [
            JoinWaiting(node=each.node, flows=frozenset(each.flows))
            for each in MigratedRuns(work).arrivals(run.run_id)
        ]
        for join in arrivals:
            yield from change.join_problems(join)
        yield from change.coming_problems(opened, arrivals)
        if run.subject_id is not None:
            yield from self._product_problems(opened)
        yield from self._data_problems(run)

    def _product_problems(self, opened: Sequence[OpenRow]) -> Iterator[str]:
        """Why the version cannot carry what the run is about."""
        for row in opened:
            yield from self.change.purpose_problems(row)
        for fault in unmet_needs(self.change.after, self.registry.needs.get(self.change.before.trigger, ())):
            yield fault.message

    def _data_problems(self, run: RunRow) -> Iterator[str]:
        """What the run was begun with, or has written, that the version does not take."""
        after = self.change.after
        if after.parameters != self.change.before.parameters:
            for problem in problems_with(run.variables, after.parameters):
                yield f"{problem.field} {problem.message}"
        for name, value in (run.written or {}).items():
            declared = after.declared.get(name)
            wrong = None if declared is None else declared.problem_with(value)
            if wrong is not None:
                yield f"variable '{name}' {wrong}"

    def _write(
        self, work: UnitOfWork, run: RunRow, rows: Sequence[StepRow], waits: Sequence[EventSubscription]
    ) -> None:
        change, migrated = self.change, MigratedRuns(work)
        by_id = {row.step_id: row for row in rows}
        names = [
            NewName(
                before=node,
                after=target.id,
                ended_too=node == target.id or change.is_alone(node),
                referenced=target.id in change.after.reading.outputs or None,
            )
            for node in change.before.steps
            if (target := change.target(node)) is not None
        ]
        migrated.put_places(
            {
                each.subscription_id: place
                for each in waits
                if (place := change.place_of(_waiting(each, by_id))) not in (None, each.place)
            }
        )
        migrated.change_work([self._new_work(row) for row in rows])
        migrated.rename(run.run_id, names)
        self.registry.rename_questions(
            work,
            run.run_id,
            {each.before: [each.after] if each.ended_too else [each.before, each.after] for each in names},
        )
        migrated.move(
            run.run_id,
            change.after.version,
            {
                "from": change.before.version,
                "to": change.after.version,
                "steps": dict(change.named),
                "by": self.by,
            },
        )

    def _new_work(self, row: StepRow) -> NewWork:
        given = self.change.renamed_input(row.input)
        target = None if row.node in OUR_OWN else self.change.target(row.node)
        if target is None:
            return NewWork(step_id=row.step_id, queue=row.queue, action=row.action, wanted=None, input=given)
        choice = target.choice
        same = choice == self.change.before.steps[row.node].choice
        return NewWork(
            step_id=row.step_id,
            queue=target.agent or None,
            action=f"{target.agent}.{target.action}" if target.agent and target.action else None,
            wanted=None if choice is None or same else asdict(choice),
            input=given,
        )


def _open_step(row: StepRow, by_id: dict[int, StepRow]) -> OpenRow:
    owner = None if row.scope_id is None else by_id[row.scope_id]
    return OpenRow(
        node=row.node,
        kind=row.kind,
        given=row.input,
        begun=row.state is StepState.PARKED or row.tries > 0 or row.crashes > 0,
        owner=None if owner is None else owner.node,
        owner_kind=None if owner is None else owner.kind,
    )


def _waiting(subscription: EventSubscription, by_id: dict[int, StepRow]) -> Waiting:
    row = None if subscription.step_id is None else by_id[subscription.step_id]
    return Waiting(
        node=None if row is None else row.node,
        place=subscription.place,
        kind=subscription.kind,
        name=subscription.name,
    )
