"""The registry of products: actions, effect writers, endings of runs, and questions to people."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from types import MappingProxyType
from typing import Any, Generic, Protocol, TypeVar

from engine.actions import OUTSIDE_WORK, Action, ActionDeclaration, queue_of
from engine.definitions.known_secrets import KnownSecrets, SecretUse
from engine.effects import EffectWriter, EffectWriters
from schemas.core.agents import OUTSIDE
from schemas.core.effects import Effect
from schemas.core.problems import Problem
from statemachine.workflow.checks.purposes import PurposeNeed
from statemachine.workflow.definition import Workflow
from statemachine.workflow.options.human import NO_RULES, HumanRules
from statemachine.workflow.states import RunState
from storage.core.unit_of_work import UnitOfWork
from storage.engine.runs import RunRow

C = TypeVar("C")


class UnknownAction(LookupError):
    """A definition or message names an action that is not registered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """The end of a run from outside: cancelled, or failed because its time was up."""

    run: RunRow
    state: RunState
    agent_id: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedStart:
    """A run that a trigger could not begin, or an entry of the inbox that could not be dispatched."""

    document: Mapping[str, Any]
    """What was to be begun, as a task could be sent in; or what came."""
    problems: Sequence[Problem]
    run_id: str | None = None
    sent_by: str | None = None


KeepRefused = Callable[[UnitOfWork, Sequence[RefusedStart]], None]
"""Keeps what triggers could not begin where a person sees it."""

EndEffects = Callable[[Ending], Sequence[Effect]]
"""What is recorded when a run of a product is ended from outside."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What a human step asks a person, with the answers it accepts."""

    interrupt_id: str
    step_id: int
    run_id: str
    subject_id: str | None
    node: str
    reason: str
    text: str
    context: Mapping[str, Any]
    decisions: tuple[str, ...]
    deadline_at: datetime | None
    rules: HumanRules = NO_RULES


class Questions(Protocol):
    """Stores the questions of human steps until they are answered."""

    def open(self, work: UnitOfWork, questions: Sequence[Question]) -> None:
        """Store these questions."""

    def cancel(self, work: UnitOfWork, step_ids: Sequence[int]) -> None:
        """Close the questions of these steps unanswered."""

    def reprioritise(self, work: UnitOfWork, run_id: str, *, before: int, now: int) -> None:
        """Let the open questions of a run go before or behind others by its new priority."""

    def rename(self, work: UnitOfWork, run_id: str, names: Mapping[str, Sequence[str]]) -> None:
        """Let the open questions of a run name its steps as they are called from now on, each by all its names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Product(Generic[C]):
    """Everything that one context registers; `C` is what its work needs of the world, made once a process."""

    name: str
    actions: tuple[ActionDeclaration[C], ...] = ()
    writers: tuple[EffectWriter, ...] = ()
    triggers: frozenset[str] = frozenset()
    """The events whose workflows carry this product's subjects."""
    needs: tuple[PurposeNeed, ...] = ()
    """The purposes for which each of those workflows must have a step."""
    end_effects: EndEffects | None = None
    """For the runs of those workflows."""
    abandoned: EndEffects | None = None
    """For every run that is failed without its definition or its product, which cannot be asked."""
    questions: Questions | None = None
    keep_refused: KeepRefused | None = None
    secrets: Mapping[SecretUse, Callable[[C], Collection[str]]] = field(default_factory=dict)
    """What tells the names of the secrets that definitions may take."""

    def bind(self, context: C) -> "BoundProduct":
        """The product with its actions ready to work."""
        secrets = {use: partial(tell, context) for use, tell in self.secrets.items()}
        return BoundProduct(self, tuple(action.bind(context) for action in self.actions), secrets)


@dataclass(frozen=True, slots=True)
class BoundProduct:
    """A product whose actions have what they need of the world."""

    product: Product[Any]
    actions: tuple[Action, ...]
    secrets: KnownSecrets = field(default_factory=dict)


def needs_of_triggers(products: Sequence[Product[Any]]) -> Mapping[str, Sequence[PurposeNeed]]:
    """The purposes that a definition needs, by its trigger."""
    return MappingProxyType({trigger: product.needs for product in products for trigger in product.triggers})


@dataclass(frozen=True, slots=True)
class Registry:
    """Everything registered in this process."""

    actions: Mapping[str, Action]
    writers: EffectWriters
    questions: Questions | None = None
    needs: Mapping[str, Sequence[PurposeNeed]] = field(default_factory=dict)
    """The purposes that a definition needs, by the triggers of the products."""
    keep_refused: KeepRefused | None = None
    secrets: KnownSecrets = field(default_factory=dict)
    _endings: Mapping[str, EndEffects] = field(default_factory=dict)
    _abandoned: tuple[EndEffects, ...] = ()

    @classmethod
    def of(cls, products: Sequence[BoundProduct]) -> "Registry":
        """The registry of these products.

        Raises:
            ValueError: two of them claim the same action, effect, trigger, secrets, the questions, or what was refused.
        """
        actions = [action for bound in products for action in bound.actions]
        endings = [
            (trigger, bound.product.end_effects)
            for bound in products
            for trigger in bound.product.triggers
            if bound.product.end_effects is not None
        ]
        keeping = [bound.product.keep_refused for bound in products if bound.product.keep_refused is not None]
        asking = [bound.product.questions for bound in products if bound.product.questions is not None]
        secrets = [each for bound in products for each in bound.secrets.items()]
        by_name = {action.name: action for action in actions}
        if (
            len(by_name) != len(actions)
            or len(dict(endings)) != len(endings)
            or len(dict(secrets)) != len(secrets)
            or max(len(asking), len(keeping)) > 1
        ):
            names = ", ".join(bound.product.name for bound in products)
            raise ValueError(f"two of the products {names} register the same thing")
        return cls(
            MappingProxyType(by_name),
            EffectWriters([writer for bound in products for writer in bound.product.writers]),
            asking[0] if asking else None,
            needs_of_triggers([bound.product for bound in products]),
            keeping[0] if keeping else None,
            MappingProxyType(dict(secrets)),
            MappingProxyType(dict(endings)),
            tuple(bound.product.abandoned for bound in products if bound.product.abandoned is not None),
        )

    def get(self, name: str) -> Action:
        """The action of this name.

        Raises:
            UnknownAction: none is registered.
        """
        if queue_of(name) == OUTSIDE:
            return OUTSIDE_WORK
        try:
            return self.actions[name]
        except KeyError as error:
            known = ", ".join(sorted(self.actions))
            raise UnknownAction(f"no action '{name}' is registered; there are {known}") from error

    def largest_batch(self, name: str, limit: int) -> int:
        """Rows a message of this action may carry, given the installation's limit."""
        action = self.actions.get(name)
        own = None if action is None else action.largest_batch
        return limit if own is None else min(own, limit)

    def end_effects(self, workflow: Workflow, ending: Ending) -> Sequence[Effect]:
        """Return the effects that the product records when a run of this workflow is ended from outside."""
        effects_of = self._endings.get(workflow.trigger)
        return () if effects_of is None else effects_of(ending)

    def abandon_effects(self, ending: Ending) -> Sequence[Effect]:
        """Return the effects that are recorded when a run is failed without asking its definition."""
        return [effect for effects_of in self._abandoned for effect in effects_of(ending)]

    def ask(self, work: UnitOfWork, questions: Sequence[Question]) -> None:
        """Store the questions of human steps.

        Raises:
            UnknownAction: nobody registered who keeps questions.
        """
        if self.questions is None:
            raise UnknownAction("a step asks a person, and nobody is registered who keeps questions")
        self.questions.open(work, questions)

    def withdraw(self, work: UnitOfWork, step_ids: Sequence[int]) -> None:
        """Close the questions of steps that are cancelled."""
        if self.questions is not None and step_ids:
            self.questions.cancel(work, step_ids)

    def reprioritise_questions(self, work: UnitOfWork, run_id: str, *, before: int, now: int) -> None:
        """Let the open questions of a run go before or behind others by its new priority."""
        if self.questions is not None:
            self.questions.reprioritise(work, run_id, before=before, now=now)

    def rename_questions(self, work: UnitOfWork, run_id: str, names: Mapping[str, Sequence[str]]) -> None:
        """Let the open questions of a run name its steps as they are called from now on."""
        if self.questions is not None and names:
            self.questions.rename(work, run_id, names)
