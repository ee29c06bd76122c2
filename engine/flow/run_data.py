"""What expressions see of runs within one transaction, and what is written to their variables."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final

from engine.flow.facts import RunFacts
from engine.outcomes import Done, Failed, Outcome
from statemachine.workflow.definition import Kind
from statemachine.workflow.options.sizes import ROOM_AROUND, OutputFault, require_output
from statemachine.workflow.plan import Write
from statemachine.workflow.values import RunValues
from storage.core.bulk import JsonTexts
from storage.core.unit_of_work import UnitOfWork
from storage.engine.flow.variables import NewWrite, WrittenVariables

_AROUND_ANOTHER: Final = (Kind.WAIT, Kind.WORKFLOW)
"""The steps that return what was sent to them, or what another run came to, with a little around it."""
_NOTHING: Final[Mapping[str, Any]] = MappingProxyType({})


@dataclass(slots=True)
class RunData:
    """The values of the runs of this transaction; a run that writes and reads nothing costs nothing."""

    work: UnitOfWork
    texts: JsonTexts = field(default_factory=JsonTexts)
    """What is returned and written, as JSON."""
    _written: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    _writes: list[NewWrite] = field(default_factory=list)
    _outputs: dict[tuple[str, tuple[int, ...]], dict[str, Any]] = field(default_factory=dict)

    def values(self, run: RunFacts, bound: Mapping[str, object] | None = None) -> RunValues:
        """What expressions see of this run, from the scope where it stands.

        Args:
            run: The run, and the scope.
            bound: The elements of the loops around; those of the scope where nothing is given.
        """
        around = run.scope.bound if run.scope is not None else _NOTHING
        reading = run.workflow.reading
        if not reading.reserved and bound is None and run.scope is None:
            return RunValues(parameters=run.variables, written=self._of(run), size=self.texts.size)
        return RunValues(
            parameters=run.variables,
            written=self._of(run),
            outputs=self._outputs_of(run) if reading.outputs else _NOTHING,
            run={"id": run.run_id, "workflow": run.workflow.name, "version": run.workflow.version},
            bound=around if bound is None else bound,
            size=self.texts.size,
        )

    def bounded(self, outcome: Outcome, kind: str) -> Outcome:
        """What a step of this kind came to: it has failed where it returns more than it may."""
        if isinstance(outcome, Done):
            try:
                require_output(
                    self.texts.size(outcome.output), around=ROOM_AROUND if kind in _AROUND_ANOTHER else 0
                )
            except OutputFault as fault:
                return Failed(code="invalid_output", message=f"the output {fault}")
        return outcome

    def ended(self, run: RunFacts, node: str, output: Mapping[str, Any]) -> None:
        """Note what a step has returned, before its row says so."""
        if node in run.workflow.reading.outputs:
            self._outputs_of(run)[node] = output

    def write(self, run: RunFacts, writes: Sequence[Write], *, by: str | None = None) -> None:
        """Write these values to the variables of a run; `by`: the person who does, instead of a step."""
        if not writes:
            return
        self._written[run.run_id] = {**self._of(run), **{each.name: each.value for each in writes}}
        self._writes += [
            NewWrite(
                run_id=run.run_id,
                name=each.name,
                value=self.texts.of(each.value),
                node=each.node or None,
                by=by,
            )
            for each in writes
        ]

    def stored(self, values: Mapping[str, Any]) -> Mapping[str, object]:
        """An object of values that were measured, as it goes into a row."""
        return {name: self.texts.of(value) for name, value in values.items()}

    def flush(self) -> frozenset[str]:
        """Write what was written; the runs whose variables have changed."""
        if not self._writes:
            return frozenset()
        writes, self._writes = self._writes, []
        changed = frozenset(each.run_id for each in writes)
        WrittenVariables(self.work).keep(
            {run_id: self.stored(self._written[run_id]) for run_id in sorted(changed)}, writes
        )
        return changed

    def _of(self, run: RunFacts) -> Mapping[str, Any]:
        return self._written.get(run.run_id, run.written)

    def _outputs_of(self, run: RunFacts) -> dict[str, Any]:
        place = (run.run_id, run.chain)
        if place not in self._outputs:
            read = sorted(run.workflow.reading.outputs)
            self._outputs[place] = WrittenVariables(self.work).outputs(run.run_id, read, run.chain)
        return self._outputs[place]
