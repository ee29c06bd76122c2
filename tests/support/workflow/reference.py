"""What a general workflow must come to, by the words of the specification: one run, in memory, one end at a time.

A branch is a token that goes from step to step. Steps that take time are open until they are ended from outside;
everything else happens at once. A scope is the inside of a step: it ends when nothing in it is open.
"""

from collections.abc import Callable, Sequence
from typing import Any

from tests.support.workflow.reference_state import INCIDENT, STUCK, Behaviour, Fault, Given, Open, Scope
from tests.support.workflow.reference_tokens import Tokens
from tests.support.workflow.reference_values import (
    filled,
    flows_at,
    following,
    handled_around,
    handlers,
    holds,
    is_outside,
    is_stuck,
    leads_to,
    place,
)
from tests.support.workflow.written_graph import Written, listed


class Reference(Tokens):
    """One run of a definition, and what becomes of it as its steps end."""

    def __init__(
        self, body: Written, behaviour: Behaviour, parameters: Given, *, patient: bool = True
    ) -> None:
        self.patient = patient
        """Whether a join that waits for some lets those come first that come at the same moment; that is free."""
        super().__init__(body, behaviour, parameters)
        self._enter_first(self.root, parameters)
        self._settle()

    def open(self) -> list[Open]:
        """What can be ended from outside: work of agents, and questions to people."""
        return [one for scope in self.scopes for one in scope.opened if is_outside(one)]

    def end(self, those: Sequence[Open], decision: str = "", *, heedless: bool = False) -> None:
        """A try of this work is over, or a person has decided; what ends together goes on together.

        Args:
            those: What has ended, in this order.
            decision: What a person has decided.
            heedless: Whether what follows one is still entered where another has let all around it fail.
        """
        for one in those:
            self._end(one, decision)
            self._lead_on(heedless=heedless)
        self._settle()

    def _end(self, one: Open, decision: str) -> None:
        if one.node == INCIDENT:
            self._decide_incident(one, decision)
        elif one.step.get("type") == "human":
            self._succeed(one, {"decision": decision})
        else:
            came = self.behaviour(one.node, one.element, one.tries)
            if came.output is not None:
                self._succeed(one, came.output)
            elif came.passes and one.tries < one.step.get("retry", {}).get("max_retries", 2):
                one.tries += 1
            else:
                self._fail(one, came.code)

    # Ends

    def _succeed(self, one: Open, output: Given) -> None:
        scope, step = one.scope, one.step
        names = self._names(scope, output, self._bound(one))
        in_loop = scope.elements is not None
        targets: list[str] = []
        again = until = False
        try:
            written = {} if one.loops else self._written(step.get("save", {}), names)
            names |= {**written, "variables": {**self.variables, **written}}
            if in_loop:
                until = holds(step["for_each"].get("until", "false"), names)
            elif step.get("repeat") and (one.element or 0) + 1 < step["repeat"]["max"]:
                again = holds(step["repeat"]["while"], names)
            if step.get("type") == "human":
                targets = [step["decisions"][output["decision"]]]
            elif not again and not in_loop:
                targets = following(step, names)
        except Fault as fault:
            self._fail(one, fault.code)
            return
        self.variables |= written
        scope.opened.remove(one)
        self._note(scope, one.node, one.element, "done", one.given)
        scope.outputs[one.node] = output
        if in_loop and scope.owner is not None:
            scope.closed |= until
            scope.results[one.element or 0] = output
            owner = scope.owner
            self._then(scope, lambda: self._begin_element(scope, owner))
        elif again:
            self._then(scope, lambda: self._reach(scope, step, one.brought, (one.element or 0) + 1))
        else:
            self._then(scope, lambda: self._follow(scope, one.node, targets, output))

    def _follow(self, scope: Scope, node: str, targets: list[str], output: Given) -> None:
        self._enter_all(scope, targets, output, node)
        for join in scope.graph.waiting_for.get(node, ()):
            if join in scope.graph.flows:
                scope.tokens.append((join, node, output))
            else:
                self._reach(scope, scope.graph.steps[join], {"needs": {node: output}})

    def _fail(self, one: Open, code: str) -> None:
        scope = one.scope
        self._cancel_inside(one)
        scope.opened.remove(one)
        self._note(scope, one.node, one.element, "failed", one.given)
        if scope.elements is None or scope.owner is None:
            self._failure(scope, one.step, one.given, code)
        elif scope.owner.step["for_each"].get("on_item_error") == "collect":
            scope.results[one.element or 0] = {"error": code}
            owner = scope.owner
            self._then(scope, lambda: self._begin_element(scope, owner))
        else:
            self._failing.setdefault(scope, code)

    def _failure(self, scope: Scope, step: Written, given: Given, code: str) -> None:
        """A step has failed: its handler follows; else a person is asked, or what is around it fails."""
        caught = {"origin": step["id"], "origin_input": given, "error": code}
        targets = handlers(step, code) or [
            handler for handler in listed(scope.graph.handler) if handler != step["id"]
        ]
        if targets:
            self._then(scope, lambda: self._enter_all(scope, targets, caught, step["id"]))
        elif self.body.get("on_failure") == "incident" and not handled_around(scope, code):
            scope.opened.append(Open(scope, {"id": INCIDENT, "type": "human"}, caught, caught))
        else:
            self._failing.setdefault(scope, code)

    def _decide_incident(self, one: Open, decision: str) -> None:
        """Once more, or as if it had been done, or the failure."""
        scope, node = one.scope, one.given["origin"]
        targets: list[str] = []
        written: dict[str, Any] = {}
        step = scope.graph.steps[node]
        scope.opened.remove(one)
        try:
            if decision == "skip":
                saved = {} if step.get("for_each") else step.get("save", {})
                written = self._written(saved, self._names(scope, {}))
                names = self._names(scope, {}) | written
                targets = following({**step, "else": ()}, names)
        except Fault as fault:
            self._note(scope, one.node, None, "failed", one.given)
            self._failing.setdefault(scope, fault.code)
            return
        self._note(scope, one.node, None, "done", one.given)
        if decision == "retry":
            self._then(scope, lambda: self._reach(scope, step, one.given["origin_input"]))
        elif decision == "skip":
            self.variables |= written
            scope.outputs[node] = {}
            self._then(scope, lambda: self._follow(scope, node, targets, {}))
        else:
            self._failing.setdefault(scope, one.given["error"])

    def _cancel(self, scope: Scope, those: list[Open]) -> None:
        for one in list(those):
            self._cancel_inside(one)
            scope.opened.remove(one)
            self._note(scope, one.node, one.element, "cancelled", one.given)

    def _cancel_inside(self, one: Open) -> None:
        for scope in [each for each in self.scopes if each.owner is one]:
            self._cancel(scope, scope.opened)
            self.scopes.remove(scope)

    # What ends by itself

    def _settle(self) -> None:
        """Go on as far as anything goes by itself: joins, then ends of what is around, then joins that wait no more."""
        while self.state == "running" and (
            self._lead_on()
            or self._join_once(self._is_enough)
            or self._stop_once()
            or self._fail_once()
            or self._join_once(self._comes_no_more)
            or self._end_once()
        ):
            pass

    def _lead_on(self, *, heedless: bool = False) -> bool:
        leading, self._leading = self._leading, []
        for scope, leads in leading:
            if heedless or not self._is_failing(scope):
                leads()
        return bool(leading)

    def _join_once(self, may_go_on: Callable[[Scope, str], bool]) -> bool:
        for scope in reversed(self.scopes):
            ready = [] if self._is_failing(scope) else [j for j in scope.graph.flows if may_go_on(scope, j)]
            # One whose branch leads on to the other goes first: the other can still be reached.
            first = [j for j in ready if not any(k != j and leads_to(scope, k, j) for k in ready)]
            if may_go_on == self._is_enough and not self.patient:
                came = [at for at, _, _ in scope.tokens]
                first = sorted(ready, key=lambda join: len(came) - came[::-1].index(join))
            for join in first or ready:
                self._go_on(scope, join)
                return True
        return False

    def _stop_once(self) -> bool:
        stops, self._stops = self._stops, []
        for scope, step in stops:
            if "error" in step:
                self._failure(scope, step, {}, step["error"])
            elif step.get("terminate"):
                self._cancel(scope, scope.opened)
                scope.tokens.clear()
        return bool(stops)

    def _fail_once(self) -> bool:
        failing = [(scope, scope.owner) for scope in self._failing if scope.owner is not None]
        for scope, owner in failing:
            code = self._failing.pop(scope)
            if scope in self.scopes:
                self._fail(owner, code)
        return bool(failing)

    def _is_enough(self, scope: Scope, join: str) -> bool:
        """Whether as many flows have come as are waited for; of one that has gone on, whether its round is over."""
        written, flows = scope.graph.steps[join].get("join"), scope.graph.flows[join]
        came = flows_at(scope, join)
        if join in scope.let_in:
            return bool(came - set(scope.let_in[join]))
        count = 1 if written == "any" else written["count"] if isinstance(written, dict) else len(flows)
        return len(came) >= min(count, len(flows))

    def _comes_no_more(self, scope: Scope, join: str) -> bool:
        """Of an inclusive join: whether no open step reaches a flow that has not come, but through the join."""
        step, came = scope.graph.steps[join], flows_at(scope, join)
        if step.get("mode") != "inclusive" or step["join"] != "all" or not came:
            return False
        return not any(
            scope.graph.reached([place(one)], join) & missing
            for one in scope.opened
            for missing in [set(scope.graph.flows[join]) - came]
        )

    def _go_on(self, scope: Scope, join: str) -> None:
        step, flows = scope.graph.steps[join], scope.graph.flows[join]
        brought: dict[str, Given] = {}
        for token in list(scope.tokens):
            at, flow, given = token
            if at == join and flow not in brought and flow not in scope.let_in.get(join, ()):
                brought[flow] = given
                scope.tokens.remove(token)
        if join in scope.let_in:
            scope.let_in[join] += brought
            if len(scope.let_in[join]) == len(flows):
                del scope.let_in[join]
            return
        written = step.get("join")
        if isinstance(written, dict) and written.get("cancel"):
            still = [one for one in scope.opened if scope.graph.reached([place(one)], join) & set(flows)]
            self._cancel(scope, still)
            scope.tokens = [t for t in scope.tokens if t[0] == join or not leads_to(scope, t[0], join)]
        elif len(brought) < len(flows) and (written == "any" or isinstance(written, dict)):
            scope.let_in[join] = list(brought)
        alone = not step.get("needs") and len(brought) == 1
        self._reach(scope, step, next(iter(brought.values())) if alone else {"needs": brought})

    def _end_once(self) -> bool:
        empty = [(each, each.owner) for each in self.scopes if not each.opened and each.owner is not None]
        for scope, owner in empty:
            self.scopes.remove(scope)
            self._fail(owner, STUCK) if is_stuck(scope) else self._end_inside(scope, owner)
        if not empty and self.root in self._failing:
            self.state, self.error = "failed", self._failing[self.root]
            self._cancel(self.root, self.root.opened)
        elif not empty and not self.root.opened:
            self.state, self.error = ("failed", STUCK) if is_stuck(self.root) else ("completed", "")
        return bool(empty)

    def _end_inside(self, scope: Scope, owner: Open) -> None:
        if scope.elements is None:
            self._succeed(owner, {})
            return
        collect = owner.step["for_each"].get("collect")
        found = [result for _, result in sorted(scope.results.items())]
        try:
            if collect is not None:
                found = [
                    each if "error" in each else filled(collect, self._names(owner.scope, each))
                    for each in found
                ]
        except Fault as fault:
            self._fail(owner, fault.code)
            return
        self._succeed(owner, {"items": found})
