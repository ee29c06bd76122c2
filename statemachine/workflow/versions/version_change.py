"""How a run of one version of a definition goes on in another: what each open step becomes, or why it cannot. Pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

from statemachine.workflow.checks.graph import Graph
from statemachine.workflow.definition import ORIGIN, Kind, Step, Workflow
from statemachine.workflow.failures import INCIDENT
from statemachine.workflow.filling import Given
from statemachine.workflow.options.catches import Catch
from statemachine.workflow.options.loops import ForEach, Repeat
from statemachine.workflow.planner import COMPENSATION, SLOT

OUR_OWN: Final = frozenset({INCIDENT.id, COMPENSATION.id, SLOT.id})
"""The rows that stand in no definition; they stay as they are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenRow:
    """An open step, as far as it decides what it can become."""

    node: str
    kind: str
    given: Given
    begun: bool
    """Whether its work may have begun: it was tried, its worker was lost, or it waits for an answer."""
    owner: str | None = None
    """The step in whose scope it lies, or of whose elements it is one."""
    owner_kind: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """Something that an open step, or the run itself, waits for."""

    node: str | None
    place: int
    kind: str
    name: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinWaiting:
    """The branches that have come to a step and wait there for others."""

    node: str
    flows: frozenset[str]


@dataclass(frozen=True)
class VersionChange:
    """From one version to another; a step that is not named in `named` keeps its id."""

    before: Workflow
    after: Workflow
    named: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def faults(self) -> tuple[str, ...]:
        """What is wrong with the names that were given, whatever the run."""
        return (
            *(
                f"version {self.before.version} has no step '{old}'"
                for old in self.named
                if old not in self.before.steps
            ),
            *(
                f"version {self.after.version} has no step '{new}'"
                for new in sorted(set(self.named.values()))
                if new not in self.after.steps
            ),
            *(
                f"steps '{old}' and others become '{self.name_of(old)}', and another becomes '{old}'"
                for old in self.before.steps
                if old in self.sources and old != self.name_of(old) and not self.is_alone(old)
            ),
            *(
                ("the two versions are begun by different triggers",)
                if self.before.trigger != self.after.trigger
                else ()
            ),
        )

    @cached_property
    def sources(self) -> Mapping[str, Sequence[str]]:
        """For each step of the new version, those of the old one that become it."""
        found: dict[str, list[str]] = {}
        for node in self.before.steps:
            found.setdefault(self.name_of(node), []).append(node)
        return found

    def is_alone(self, node: str) -> bool:
        """Whether no other step of the old version becomes the same one of the new version."""
        return len(self.sources[self.name_of(node)]) == 1

    def name_of(self, node: str) -> str:
        """What a step is called in the new version."""
        return self.named.get(node, node)

    def target(self, node: str) -> Step | None:
        """What a step becomes; `None`: the new version has none for it."""
        return self.after.steps.get(self.name_of(node))

    def step_problems(self, row: OpenRow) -> Iterator[str]:
        """Why an open step cannot go on in the new version."""
        if row.node in OUR_OWN:
            yield from self._origin_problems(row, row.node)
            return
        old, new = self.before.steps[row.node], self.target(row.node)
        if new is None:
            yield (
                f"step '{row.node}' is open, and version {self.after.version} has no step '{self.name_of(row.node)}'"
            )
            return
        if old.kind is not new.kind or _loop_of(old) is not _loop_of(new):
            yield f"step '{old.id}' is {_described(old)}, and '{new.id}' is {_described(new)}"
            return
        yield from self._place_problems(row, new)
        if row.kind != Kind.EACH:
            yield from _work_problems(old, new, begun=row.begun)
        if old.kind is Kind.WAIT and bool(old.catches) is not bool(new.catches):
            ends = ("events", "a time") if old.catches else ("a time", "events")
            yield f"step '{old.id}' waits for {ends[0]}, and '{new.id}' for {ends[1]}"
        elif old.kind is Kind.HUMAN:
            missing = [f"'{name}'" for name in old.decisions if name not in new.decisions]
            if missing:
                yield (
                    f"step '{old.id}' asks a person, who may answer {', '.join(missing)}; '{new.id}' does not"
                )
        if ORIGIN in new.decisions.values():
            yield from self._origin_problems(row, new.id)

    def purpose_problems(self, row: OpenRow) -> Iterator[str]:
        """Why a step that a product finds by its purpose cannot become another."""
        new = self.target(row.node)
        if row.node not in OUR_OWN and new is not None:
            old = self.before.steps[row.node]
            if old.purpose != new.purpose:
                yield (
                    f"step '{old.id}' has the purpose '{old.purpose or ''}', and '{new.id}' has '{new.purpose or ''}'"
                )

    def place_of(self, waiting: Waiting) -> int | None:
        """The place, in the new version, of what is waited for; `None`: it is not waited for there."""
        if waiting.place < 0:  # The time that a step may take; its moment stands in the row.
            return waiting.place
        if waiting.node is None:
            return _place_among(self.before.options.on, self.after.options.on, waiting)
        if waiting.node in OUR_OWN:
            return waiting.place
        old, new = self.before.steps[waiting.node], self.target(waiting.node)
        if new is None:
            return None
        border = len(old.catches)
        if waiting.place < border:
            return _place_among(old.catches, new.catches, waiting)
        found = _place_among(old.on, new.on, waiting, border)
        return None if found is None else found + len(new.catches)

    def wait_problems(self, waiting: Waiting) -> Iterator[str]:
        """Why something that is waited for cannot be waited for any longer."""
        if self.place_of(waiting) is None:
            what = f"{waiting.kind} '{waiting.name}'" if waiting.name else waiting.kind
            who = "the run" if waiting.node is None else f"step '{waiting.node}'"
            where = "" if waiting.node is None else f"'{self.name_of(waiting.node)}' of "
            yield f"{who} waits for a {what}, and {where}version {self.after.version} does not"

    def join_problems(self, waiting: JoinWaiting) -> Iterator[str]:
        """Why branches that wait for others cannot go on waiting."""
        old, new = self.before.steps[waiting.node], self.target(waiting.node)
        came = ", ".join(f"'{flow}'" for flow in sorted(waiting.flows))
        if new is None or new.id not in self.after.flows:
            yield f"branches from {came} wait at '{old.id}', and no branches wait at '{self.name_of(old.id)}'"
            return
        if (old.mode, old.join) != (new.mode, new.join):
            yield f"branches from {came} wait at '{old.id}', and '{new.id}' waits by another rule"
        flows = {self.name_of(flow) for flow in self.before.flows[old.id]}
        if flows != set(self.after.flows[new.id]):
            yield (
                f"branches from {came} wait at '{old.id}' for {_listed(flows)}, "
                f"and '{new.id}' waits for {_listed(self.after.flows[new.id])}"
            )

    def coming_problems(self, rows: Sequence[OpenRow], waiting: Sequence[JoinWaiting]) -> Iterator[str]:
        """Joins ahead for which a branch would be waited for that cannot come: the run would never pass them."""
        opened = {row.node for row in rows} - OUR_OWN | {each.node for each in waiting}
        ahead = _reached(self.after, map(self.name_of, opened))
        was_ahead = {self.name_of(node) for node in _reached(self.before, opened)}
        came = {(self.name_of(each.node), self.name_of(flow)) for each in waiting for flow in each.flows}
        for join, flows in self.after.flows.items():
            if join not in ahead or join in self.after.coming:
                continue
            awaited = {
                self.name_of(flow)
                for source in self.sources.get(join, ())
                for flow in self.before.flows.get(source, ())
            }
            for flow in flows:
                # What could not come before either is nothing that this change brings about.
                was_so = flow in awaited and flow not in was_ahead
                if flow not in ahead and (join, flow) not in came and not was_so:
                    yield f"'{join}' would wait for '{flow}', from which nothing would come"

    def renamed_input(self, given: Given) -> Given:
        """The input of an open step, in which the step whose failure led there has its new name."""
        if not isinstance(given.get("origin_input"), Mapping):
            return given
        inner = given["origin_input"]
        assert isinstance(inner, Mapping)
        return {
            **given,
            "origin": self.name_of(str(given.get("origin"))),
            "origin_input": self.renamed_input(inner),
        }

    def _origin_problems(self, row: OpenRow, asks: str) -> Iterator[str]:
        origin = row.given.get("origin")
        if "origin_input" not in row.given or not isinstance(origin, str) or origin in OUR_OWN:
            return
        old, new = self.before.steps.get(origin), self.target(origin)
        if old is not None and (new is None or new.kind is not old.kind):
            yield (
                f"'{asks}' asks what becomes of '{origin}', and version {self.after.version} has no step for it"
            )

    def _place_problems(self, row: OpenRow, new: Step) -> Iterator[str]:
        """Why a step does not lie where it lay."""
        if row.owner_kind == Kind.COMPENSATE:
            return
        if row.owner_kind == Kind.EACH:
            if self.name_of(str(row.owner)) != new.id:
                yield f"step '{row.node}' is an element of the loop '{row.owner}', and '{new.id}' is none"
            return
        around = None if row.owner is None else self.name_of(row.owner)
        if new.scope != around:
            lies = [
                "outside of all scopes" if each is None else f"in '{each}'" for each in (around, new.scope)
            ]
            yield f"step '{row.node}' lies {lies[0]}, and '{new.id}' lies {lies[1]}"


def _work_problems(old: Step, new: Step, *, begun: bool) -> Iterator[str]:
    if (old.choice is None) is not (new.choice is None):
        done = ["the fleet" if step.choice is None else "outside agents" for step in (old, new)]
        yield f"step '{old.id}' is done by {done[0]}, and '{new.id}' by {done[1]}"
    elif old.choice != new.choice and new.choice is not None and "${" in (new.choice.agent_id or ""):
        yield f"step '{old.id}' is open, and the agent of '{new.id}' is calculated as it is entered"
    elif begun and (old.agent, old.action) != (new.agent, new.action):
        yield (f"step '{old.id}' has begun {_work_of(old)}, and '{new.id}' does {_work_of(new)}")


def _work_of(step: Step) -> str:
    return f"{step.agent}.{step.action}" if step.action else "nothing"


def _place_among(
    before: Sequence[Catch], after: Sequence[Catch], waiting: Waiting, border: int = 0
) -> int | None:
    """The place of the catch of the same kind and name; of several such the one that stands as far down."""
    alike = [place for place, each in enumerate(before, border) if _is_for(each, waiting)]
    candidates = [place for place, each in enumerate(after) if _is_for(each, waiting)]
    if waiting.place not in alike:
        return None
    nth = alike.index(waiting.place)
    return candidates[nth] if nth < len(candidates) else None


def _is_for(catch: Catch, waiting: Waiting) -> bool:
    return catch.kind.value == waiting.kind and (catch.name or None) == waiting.name


def _reached(workflow: Workflow, nodes: Iterable[str]) -> frozenset[str]:
    """Every step that a run may still come to from these."""
    graph = Graph.of(tuple(workflow.steps.values()), workflow.on_error, workflow.options.on)
    return graph.reach(nodes, graph.leads)


def _loop_of(step: Step) -> type[ForEach] | type[Repeat] | None:
    return None if step.loop is None else type(step.loop)


def _described(step: Step) -> str:
    loop = "" if step.loop is None else " for each" if isinstance(step.loop, ForEach) else " repeated"
    return f"of type {step.kind.value}{loop}"


def _listed(flows: Iterable[str]) -> str:
    return ", ".join(f"'{flow}'" for flow in sorted(flows)) or "none"
