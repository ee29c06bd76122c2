"""The parts of one transaction that carry runs on, made together."""

from dataclasses import dataclass

from engine.catalogue import Catalogue
from engine.flow.calls import Calls
from engine.flow.completion import Completion
from engine.flow.ends import Ends
from engine.flow.events.catching import Catching
from engine.flow.inside.cancelling import Cancelling
from engine.flow.inside.insides import Insides
from engine.flow.inside.joins import Joins
from engine.flow.inside.scope_ends import ScopeEnds
from engine.flow.intervening import Intervening
from engine.flow.run_data import RunData
from engine.flow.run_ends import RunEnds
from engine.flow.settlement import Settlement
from engine.flow.slot_requests import SlotRequests
from engine.flow.succession import Succession
from engine.registry import Registry
from engine.room import Room
from storage.core.unit_of_work import UnitOfWork
from storage.engine.clock import Moments


@dataclass(frozen=True, slots=True)
class FlowParts:
    """What a transaction does with runs."""

    succession: Succession
    catching: Catching
    completion: Completion
    settlement: Settlement
    intervening: Intervening

    @classmethod
    def of(
        cls, work: UnitOfWork, catalogue: Catalogue, registry: Registry, room: Room, moments: Moments
    ) -> "FlowParts":
        """The parts of a transaction, all over the same unit of work."""
        data = RunData(work)
        succession = Succession(work, registry, room, moments, data)
        slots = SlotRequests(work)
        cancelling = Cancelling(work, registry, succession, slots)
        insides = Insides(work, succession)
        ends = Ends(work, catalogue, moments, data, succession, insides)
        catching = Catching(work, registry, moments, succession, ends, cancelling)
        joins = Joins(work, succession, cancelling)
        completion = Completion(
            work=work,
            data=data,
            succession=succession,
            ends=ends,
            insides=insides,
            joins=joins,
            cancelling=cancelling,
            catching=catching,
            calls=Calls(work, catalogue),
            slots=slots,
            scope_ends=ScopeEnds(work, data, succession, ends, cancelling, joins),
            run_ends=RunEnds(work, catalogue, data, succession, cancelling, joins),
        )
        settlement = Settlement(work, registry, moments, ends, completion)
        intervening = Intervening(work, catalogue, completion, settlement)
        return cls(succession, catching, completion, settlement, intervening)
