"""Writes the effects of steps: each kind by the writer that its context registered."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from schemas.core.effects import Effect
from storage.core.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True, kw_only=True)
class EffectRefusal:
    """Why the effects of a step cannot be written, and how the step ends."""

    error: Exception
    """What is raised to a caller where no step can take the blame."""
    code: str = "state_conflict"
    """What the step fails with."""
    again: bool = False
    """Whether it is done anew at once instead: somebody else was quicker."""


Write = Callable[[UnitOfWork, Sequence[tuple[int, Any]]], Mapping[int, EffectRefusal]]
"""Writes effects, each given with its step, in one statement a table; the refused steps with the reason."""

NOTHING_REFUSED: Final[Mapping[int, EffectRefusal]] = {}
"""The answer of a writer that can always write."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class EffectWriter:
    """A writer of these kinds of effects."""

    kinds: tuple[type[Effect], ...]
    write: Write
    evidence: Write | None = None
    """How what they say of the world is kept where the step is refused or its lease was lost; `None`: it is not."""
    errors: tuple[type[Exception], ...] = ()
    """What a refusal of this writer may carry as its error."""


class UnknownEffect(LookupError):
    """A step returned an effect that nobody writes."""


class EffectWriters:
    """All registered writers, in the order in which they write."""

    def __init__(self, writers: Sequence[EffectWriter]) -> None:
        self._writers = tuple(writers)
        self._writer_of = {kind: writer for writer in writers for kind in writer.kinds}
        if len(self._writer_of) != sum(len(writer.kinds) for writer in writers):
            raise ValueError("two writers are registered for one kind of effect")
        self.errors = tuple(error for writer in writers for error in writer.errors)

    def apply(self, work: UnitOfWork, effects: Sequence[tuple[int, Effect]]) -> dict[int, EffectRefusal]:
        """Write effects; once a step is refused, only its evidence is written.

        Returns:
            The refused steps with the reason.

        Raises:
            UnknownEffect: nobody writes effects of this kind.
        """
        given = self._by_writer(effects)
        refused: dict[int, EffectRefusal] = {}
        for writer in self._writers:
            if writer not in given:
                continue
            own = [(step_id, effect) for step_id, effect in given[writer] if step_id not in refused]
            beside = [(step_id, effect) for step_id, effect in given[writer] if step_id in refused]
            if own:
                refused |= writer.write(work, own)
            if beside and writer.evidence is not None:
                writer.evidence(work, beside)
        return refused

    def keep_evidence(self, work: UnitOfWork, effects: Sequence[tuple[int, Effect]]) -> None:
        """Write only the effects that are evidence of what happened outside."""
        for writer, own in self._by_writer(effects).items():
            if writer.evidence is not None:
                writer.evidence(work, own)

    def _by_writer(
        self, effects: Sequence[tuple[int, Effect]]
    ) -> Mapping[EffectWriter, list[tuple[int, Effect]]]:
        given: defaultdict[EffectWriter, list[tuple[int, Effect]]] = defaultdict(list)
        for step_id, effect in effects:
            writer = self._writer_of.get(type(effect))
            if writer is None:
                raise UnknownEffect(
                    f"no writer is registered for effects of the kind {type(effect).__name__}"
                )
            given[writer].append((step_id, effect))
        return given
