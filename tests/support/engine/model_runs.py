"""Runs of generated definitions in the engine, held against the reference interpreter end by end."""

from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field, replace
from itertools import count, permutations, product
from typing import Any, Final

import orjson

from engine.begin import Begin
from engine.outcomes import Done, Failed, Outcome, TryAgain
from runtime.ids import Prefix, new_id
from storage.engine.definitions import Definitions
from storage.engine.steps import StepKey, StepRow
from tests.support.engine.general_runs import ScriptedActions
from tests.support.faults.machine import LONG
from tests.support.in_process_fleet import InProcessFleet
from tests.support.probe import Probe
from tests.support.workflow.model_case import Case
from tests.support.workflow.reference import Reference
from tests.support.workflow.reference_state import Open, Row
from tests.support.workflow.written_graph import INSTANT

ACTION: Final = "audit.check"
PARAMETERS: Final[Mapping[str, Any]] = {"yes": True, "no": False}
_ROWS: Final = (
    "SELECT step_id, node, kind, state, element, scope_id, input, delivery, tries FROM steps "
    "WHERE run_id = %s ORDER BY step_id"
)
_ENDED: Final = ("done", "failed", "cancelled")


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All of a run that the specification says something of, in a form that can be compared."""

    state: str
    error: str
    variables: str
    ended: tuple[str, ...]
    opened: tuple[str, ...]
    """The work and the questions that are open."""


@dataclass(slots=True)
class ModelHouse:
    """A fleet in which generated definitions run one after another."""

    fleet: InProcessFleet
    bench: ScriptedActions
    numbers: "count[int]" = field(default_factory=lambda: count(1))
    losing: bool = False
    """Whether the next work to begin loses its lease before it is recorded."""

    @classmethod
    def build(cls, database_url: str) -> "ModelHouse":
        """A fleet over this database, whose leases end only when they are taken away."""
        bench = ScriptedActions()
        # A message is one batch and nothing more, so that the test chooses what ends next.
        limits = replace(LONG, carry_on_seconds=0)
        fleet = InProcessFleet.build(database_url, actions=bench.actions(), limits=limits)
        fleet.tick.sweep()
        return cls(fleet, bench)

    def begin(self, case: Case) -> "ModelRun":
        """Begin a run of a generated definition, here and in the reference."""
        name = f"model_{next(self.numbers)}"
        body = {"workflow": name, "version": "1.0", **case.body}
        self.bench.answers = {node: self._answer(case) for node in case.plans}
        with self.fleet.database.transaction() as work:
            Definitions(work).register(name, "1.0", body)
        run_id = new_id(Prefix.RUN)
        with self.fleet.engine.transaction() as transaction:
            workflow = transaction.catalogue.version(transaction.work, name, "1.0")
            transaction.begin([Begin(run_id=run_id, workflow=workflow, variables=PARAMETERS)])
        is_partial = any(each in _text(case.body) for each in ('"count"', '"any"'))
        patience = (True, False) if is_partial else (True,)
        worlds = [Reference(case.body, case.came, PARAMETERS, patient=each) for each in patience]
        return ModelRun(self, run_id, worlds, patience=patience)

    def lose_lease(self) -> None:
        """Take away the lease of the work at hand, and let its rows be delivered anew."""
        self.losing = False
        Probe(self.fleet.database).write(
            "UPDATE leases SET expires_at = clock_timestamp() - interval '1 second'"
        )
        self.fleet.tick.sweep()

    def _answer(self, case: Case) -> Callable[[StepRow], Outcome]:
        def answer(step: StepRow) -> Outcome:
            if self.losing:
                self.lose_lease()
            came = case.came(step.node, step.element, step.tries)
            if came.output is not None:
                return Done(output=came.output)
            return (TryAgain if came.passes else Failed)(code=came.code, message="as chance has it")

        return answer


@dataclass(slots=True)
class ModelRun:
    """One run in the engine, and what the specification lets it be by now."""

    house: ModelHouse
    run_id: str
    worlds: list[Reference]
    """Several where steps ended together, and their order is free."""
    in_order: bool = True
    """Whether every step has ended in a batch of its own, so that what was cancelled is certain too."""
    patience: Sequence[bool] = (True,)
    """Whether joins that wait for some may let others come first; both where there is such a join."""
    rows: list[Mapping[str, Any]] = field(default_factory=list)

    def compare(self) -> None:
        """Hold the run against the worlds, and keep those that it may be."""
        probe = Probe(self.house.fleet.database)
        run = probe.row("SELECT state, error, written FROM runs WHERE run_id = %s", self.run_id)
        self.rows = probe.mappings(_ROWS, self.run_id)
        variables = {**self.worlds[0].defaults(), **(run.written or {})}
        found = Snapshot(
            state=run.state,
            error=(run.error or {}).get("code", ""),
            variables=_text(variables),
            ended=tuple(
                sorted(_text(self._described(row)) for row in self.rows if self._counts(row["state"]))
            ),
            opened=tuple(sorted(_text(key) for key, _ in self.open())),
        )
        expected = {self._snapshot(world): world for world in self.worlds}
        if found not in expected:
            raise AssertionError(_difference(found, next(iter(expected)), len(expected)))
        self.worlds = [world for world in self.worlds if self._snapshot(world) == found]

    def state(self) -> str:
        """How the run stands."""
        return str(
            Probe(self.house.fleet.database).value("SELECT state FROM runs WHERE run_id = %s", self.run_id)
        )

    def open(self) -> list[tuple[list[Any], Mapping[str, Any]]]:
        """What can be ended, each by all that tells it from others."""
        found = [
            ([*self._described(row), row["tries"]], row)
            for row in self.rows
            if row["state"] not in _ENDED and row["kind"] in ("action", "human")
        ]
        return sorted(found, key=lambda each: _text(each[0]))

    def work(self, chosen: Sequence[Mapping[str, Any]], *, times: int = 1) -> None:
        """Work on these rows in one batch; their message comes so many times."""
        self.in_order &= len(chosen) == 1
        keys = [StepKey(row["step_id"], row["delivery"]) for row in chosen]
        for _ in range(times):
            self.house.fleet.engine.execute(ACTION, keys)
        self._end([[*self._described(row), row["tries"]] for row in chosen], "")
        self._wake()

    def lose(self, chosen: Sequence[Mapping[str, Any]]) -> None:
        """Work on these rows, and lose what came of it."""
        self.house.losing = True
        self.work_in_vain([StepKey(row["step_id"], row["delivery"]) for row in chosen])

    def work_in_vain(self, keys: Sequence[StepKey]) -> None:
        """Work whose results nobody is to see."""
        self.house.fleet.engine.execute(ACTION, keys)
        self.house.fleet.wire.lose_everything()

    def decide(self, row: Mapping[str, Any], nth: int) -> None:
        """Answer a question."""
        decision = ("retry", "skip", "fail")[nth] if row["node"] == "$incident" else ("yes", "no")[nth % 2]
        with self.house.fleet.engine.transaction() as transaction:
            transaction.complete({row["step_id"]: {"decision": decision}})
        self._end([[*self._described(row), row["tries"]]], decision)

    def _wake(self) -> None:
        """Let what is to be tried again be due."""
        probe = Probe(self.house.fleet.database)
        while probe.value(
            "SELECT count(*) FROM steps WHERE run_id = %s AND state = 'scheduled'", self.run_id
        ):
            self.house.fleet.tick.sweep()
        self.house.fleet.wire.lose_everything()

    def _end(self, keys: Sequence[list[Any]], decision: str) -> None:
        worlds: dict[Snapshot, Reference] = {}
        for world in self.worlds:
            orders = list(permutations(keys))
            for order, heedless, patient in product(orders, [False, True][: len(keys)], self.patience):
                after = deepcopy(world)
                after.patient = patient
                left = after.open()
                ended = []
                for key in order:
                    ended.append(next(one for one in left if _text(_key(one)) == _text(key)))
                    left.remove(ended[-1])
                after.end(ended, decision, heedless=heedless)
                worlds.setdefault(self._snapshot(after), after)
        self.worlds = list(worlds.values())

    def _snapshot(self, world: Reference) -> Snapshot:
        return Snapshot(
            state=world.state,
            error=world.error,
            variables=_text(world.variables),
            ended=tuple(sorted(_text(_of_row(row)) for row in world.rows if self._counts(row.state))),
            opened=tuple(sorted(_text(_key(one)) for one in world.open())),
        )

    def _counts(self, state: str) -> bool:
        return state in (_ENDED if self.in_order else _ENDED[:2])

    def _described(self, row: Mapping[str, Any]) -> list[Any]:
        by_id = {each["step_id"]: each for each in self.rows}
        path: list[Any] = []
        around = row["scope_id"]
        while around is not None:
            owner = by_id[around]
            path.insert(0, [owner["node"], owner["element"]])
            around = owner["scope_id"]
        given = (None if row["kind"] in INSTANT else _without_words(row["input"])) or None
        state = row["state"] if row["state"] in _ENDED else "open"
        return [path, row["node"], row["element"], state, given]


def _key(one: Open) -> list[Any]:
    return [one.scope.path, one.node, one.element, "open", one.given or None, one.tries]


def _of_row(row: Row) -> list[Any]:
    return [row.path, row.node, row.element, row.state, row.given or None]


def _without_words(value: Any) -> Any:
    """An input whose errors are but their codes."""
    if isinstance(value, Mapping):
        if "code" in value and "message" in value:
            return value["code"]
        return {name: _without_words(each) for name, each in value.items()}
    return [_without_words(each) for each in value] if isinstance(value, (list, tuple)) else value


def _text(value: Any) -> str:
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()


def _difference(found: Snapshot, expected: Snapshot, worlds: int) -> str:
    lines = [
        f"the engine is in none of the {worlds} states that the specification allows; of one it differs by:"
    ]
    lines += [
        f"  {name}: engine {getattr(found, name)}, expected {getattr(expected, name)}"
        for name in ("state", "error", "variables")
        if getattr(found, name) != getattr(expected, name)
    ]
    for name in ("ended", "opened"):
        ours, theirs = list(getattr(found, name)), list(getattr(expected, name))
        for each in set(ours) & set(theirs):
            ours.remove(each)
            theirs.remove(each)
        lines += [f"  {name}, in the engine alone: {each}" for each in ours]
        lines += [f"  {name}, expected alone: {each}" for each in theirs]
    return "\n".join(lines)
