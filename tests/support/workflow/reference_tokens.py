"""Tokens of the reference interpreter: how a branch goes from step to step, as far as nothing takes time."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any

from tests.support.workflow.reference_state import Behaviour, Fault, Given, Open, Row, Scope
from tests.support.workflow.reference_values import declared, filled, following, holds, index, merged, taken
from tests.support.workflow.written_graph import INSTANT, Written, WrittenGraph, listed


class Tokens(ABC):
    """One run of a definition, and where its branches stand."""

    def __init__(self, body: Written, behaviour: Behaviour, parameters: Given) -> None:
        self.body, self.behaviour, self.parameters = body, behaviour, parameters
        self.declared = {name: declared(each) for name, each in body.get("variables", {}).items()}
        self.variables = dict(self.defaults())
        self.rows: list[Row] = []
        self.state, self.error = "running", ""
        self._leading: list[tuple[Scope, Callable[[], object]]] = []
        self._stops: list[tuple[Scope, Written]] = []
        self._failing: dict[Scope, str] = {}
        """What fails once everything has gone as far as it goes at once."""
        root = Scope(WrittenGraph.of(body["steps"], body.get("on_error")))
        self.scopes = [root]

    @property
    def root(self) -> Scope:
        return self.scopes[0]

    def defaults(self) -> Given:
        """What the variables begin with."""
        return {name: each.get("default") for name, each in self.declared.items()}

    @abstractmethod
    def _fail(self, one: Open, code: str) -> None:
        """An open step has failed."""

    @abstractmethod
    def _failure(self, scope: Scope, step: Written, given: Given, code: str) -> None:
        """A step has failed that is open no more."""

    def _enter_first(self, scope: Scope, given: Given) -> None:
        self._enter_all(scope, scope.graph.first, given, "")

    def _enter_all(self, scope: Scope, targets: Sequence[str], given: Given, source: str) -> None:
        for target in targets:
            self._enter(scope, target, given, source)

    def _enter(self, scope: Scope, target: str, given: Given, source: str) -> None:
        if target == "end" or scope not in self.scopes:
            return
        if scope.graph.steps[target].get("join"):
            scope.tokens.append((target, source, given))
        else:
            self._reach(scope, scope.graph.steps[target], given)

    def _reach(self, scope: Scope, step: Written, given: Given, again: int | None = None) -> None:
        """Be at a step: pass it, or open it."""
        repeated = again or 0 if step.get("repeat") else None
        try:
            names = self._names(scope, given) | index(repeated)
            if step.get("type") in INSTANT:
                self._pass(scope, step, given, names)
            elif step.get("for_each"):
                self._open_loop(scope, step, given, filled(step["for_each"]["in"], names))
            else:
                self._open(scope, step, given, filled(step.get("parameters", {}), names), repeated)
        except Fault as fault:
            self._note(scope, step["id"], None, "failed", None)
            self._failure(scope, step, given, fault.code)

    def _pass(self, scope: Scope, step: Written, given: Given, names: Given) -> None:
        if step["type"] == "gateway" and "condition" in step:
            targets = listed(step["next"] if holds(step["condition"], names) else step["else"])
        elif step["type"] == "gateway" and step.get("mode") != "parallel":
            targets = taken(step, names, several=step.get("mode") == "inclusive")
            if not targets:
                raise Fault("no_branch")
        else:
            written = self._written(step.get("set", {}), names)
            targets = following(step, {**names, **written})
            self.variables |= written
        self._note(scope, step["id"], None, "done", None)
        self._enter_all(scope, targets, given, step["id"])
        if step["type"] == "end":
            self._stops.append((scope, step))

    def _open(self, scope: Scope, step: Written, brought: Given, own: Given, element: int | None) -> None:
        one = Open(scope, step, brought, {**brought, **own}, element)
        scope.opened.append(one)
        if step.get("type") == "scope":
            bound = {**scope.bound, **index(element)}
            self.scopes.append(Scope(scope.graph.inner[one.node], one, bound))
            self._enter_first(self.scopes[-1], one.given)

    def _open_loop(self, scope: Scope, step: Written, given: Given, elements: list[Any]) -> None:
        one = Open(scope, step, given, given, loops=True)
        scope.opened.append(one)
        inside = Scope(scope.graph, one, scope.bound, elements)
        self.scopes.append(inside)
        each = step["for_each"]
        limit = 1 if each.get("mode") == "sequential" else each.get("limit", len(elements))
        for _ in elements[:limit]:
            self._begin_element(inside, one)

    def _begin_element(self, inside: Scope, owner: Open) -> None:
        if inside.closed or inside not in self.scopes or inside.begun == len(inside.elements or ()):
            return
        at, inside.begun = inside.begun, inside.begun + 1
        item = (inside.elements or [])[at]
        own = {owner.step["for_each"].get("as", "item"): item, "index": at}
        names = self._names(inside, owner.brought) | own
        one = Open(inside, owner.step, own, own, at)
        inside.opened.append(one)
        try:
            one.given = {**own, **filled(owner.step.get("parameters", {}), names)}
        except Fault as fault:
            self._fail(one, fault.code)
            return
        if owner.step.get("type") == "scope":
            self.scopes.append(Scope(inside.graph.inner[one.node], one, self._bound(one)))
            self._enter_first(self.scopes[-1], one.given)

    def _then(self, scope: Scope, leads: Callable[[], object]) -> None:
        """Let this follow, once what ended together is recorded."""
        self._leading.append((scope, leads))

    def _is_failing(self, scope: Scope | None) -> bool:
        return scope is not None and (scope in self._failing or self._is_failing(scope.around))

    def _bound(self, one: Open) -> Given:
        """The elements around, and this one."""
        if one.scope.elements is not None and one.element is not None:
            name = one.step["for_each"].get("as", "item")
            return {**one.scope.bound, name: one.scope.elements[one.element], "index": one.element}
        return {**one.scope.bound, **index(one.element)}

    def _names(self, scope: Scope, given: Given, bound: Given | None = None) -> dict[str, Any]:
        """What names stand for: what is nearer goes before what is farther."""
        steps: dict[str, Any] = {}
        around: Scope | None = scope
        while around is not None:
            steps = {**around.outputs, **steps}
            around = around.around
        bound = scope.bound if bound is None else bound
        named = {**self.parameters, **self.variables, **bound, **given}
        return named | {"parameters": self.parameters, "variables": dict(self.variables), "steps": steps}

    def _written(self, templates: Given, names: Given) -> dict[str, Any]:
        """What these make of the variables, each in turn; each is merged with what is there."""
        now: dict[str, Any] = {}
        for name, template in templates.items():
            value = filled(template, {**names, **now})
            now[name] = merged(self.declared[name].get("merge"), now.get(name, self.variables[name]), value)
        return now

    def _note(self, scope: Scope, node: str, element: int | None, state: str, given: Given | None) -> None:
        self.rows.append(Row(scope.path, node, element, state, given))
