"""Definitions by chance that pass the checks: built out of blocks, each of which leads to what comes after it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st

from schemas.core.definition.reader import read_definition
from statemachine.workflow.definition import MalformedWorkflow
from tests.support.workflow.model_case import Case, Plan

Draw = Callable[[st.SearchStrategy[Any]], Any]

VARIABLES: Mapping[str, Mapping[str, Any]] = {
    "total": {"default": 0, "merge": "sum"},
    "seen": {"default": [], "merge": "append"},
    "kinds": {"default": [], "merge": "union"},
    "top": {"default": 0, "merge": "max"},
    "low": {"default": 9, "merge": "min"},
    "newest": {"default": 0, "merge": "last"},
}
_CONDITIONS = (
    "yes", "no", "total > 2", "total % 2 == 0", "len(seen) > 1", "default(n, 0) > 1", "n > 1", "'a' in kinds",
    "newest == 1", "1 / total > 0",
)  # fmt: skip
_VALUES = {
    "total": (1, 2, "${n}", "${default(n, 1) + 1}"),
    "seen": ("x", "${default(n, 0)}", "${total}"),
    "kinds": ("a", ["a", "b"], "${text(default(n, 7))}"),
    "top": ("${default(n, 3)}", 2),
    "low": ("${n}", 1),
    "newest": (1, "${total}", "${default(n, 5)}"),
}
_CODES = ("broken", "lost")


@st.composite
def _written(draw: Draw, largest: int) -> Case:
    return _Building(draw, largest).case()


def cases(largest: int = 16) -> st.SearchStrategy[Case]:
    """Definitions of about as many steps, with what their actions come to."""
    return _written(largest).filter(_passes)


def _passes(case: Case) -> bool:
    """Whether it is a definition that may be registered."""
    try:
        read_definition({"workflow": "model", "version": "1.0", **case.body})
    except MalformedWorkflow:
        return False
    return True


@dataclass(slots=True)
class _Building:
    """One definition as far as it is built."""

    draw: Draw
    left: int
    """How many steps it may still have."""
    steps: list[dict[str, Any]] = field(default_factory=list)
    """Of the scope at hand."""
    plans: dict[str, Plan] = field(default_factory=dict)
    variables: dict[str, Any] = field(default_factory=lambda: dict(VARIABLES))
    made: int = 0
    in_loop: bool = False
    """Whether a gateway of this scope leads back to what is built."""

    def case(self) -> Case:
        """The whole."""
        self.sequence("end")
        body: dict[str, Any] = {"variables": self.variables}
        if self.chance(3):
            body["on_error"] = self.action("end", simple=True)
        if self.chance(4):
            body["on_failure"] = "incident"
        return Case(body={**body, "steps": self.steps}, plans=self.plans)

    # What chance decides

    def chance(self, one_in: int) -> bool:
        """True once in so many times; where it can be simpler, not."""
        return bool(self.draw(st.integers(0, one_in - 1)) == one_in - 1)

    def one_of(self, values: Any) -> Any:
        """One of these, the simplest first."""
        return self.draw(st.sampled_from(list(values)))

    def condition(self) -> str:
        """A condition over the variables, what was given, and what steps have returned."""
        acted = [each["id"] for each in self.steps if each["id"] in self.plans]
        return str(self.one_of((*_CONDITIONS, *(f"steps.{node}.n > 1" for node in acted[:2]))))

    def writes(self) -> dict[str, Any]:
        """One or two variables and their values."""
        names = self.draw(st.lists(st.sampled_from(list(VARIABLES)), min_size=1, max_size=2, unique=True))
        return {name: self.one_of(_VALUES[name]) for name in names}

    # Blocks: each gives the step by which it is entered

    def sequence(self, then: str) -> str:
        """A few blocks, one after another."""
        for _ in range(self.draw(st.integers(1, 3))):
            then = self.block(then)
        return then

    def block(self, then: str) -> str:
        """Any block."""
        small: tuple[Callable[[str], str], ...] = (self.action, self.action, self.set, self.ending)
        large = (
            self.choice, self.parallel, self.inclusive, self.partial, self.loop, self.scope, self.for_each,
            self.repeat, self.handled, self.needing, self.question, self.parted,
        )  # fmt: skip
        return str(self.one_of(small if self.left < 4 else (*small[:3], *large))(then))

    def add(self, kind: str, then: str | None = None, **fields: Any) -> str:
        """A step of its own."""
        self.made, self.left = self.made + 1, self.left - 1
        step = {"id": f"{kind}{self.made}", **fields}
        if then is not None and then != "end":
            step["next"] = then
        self.steps.append(step)
        return str(step["id"])

    def action(self, then: str, *, simple: bool = False, **fields: Any) -> str:
        """Work."""
        if not simple and self.chance(3):
            fields["save"] = self.writes()
        if not simple and "for_each" not in fields and self.chance(4):
            fields["parameters"] = {"asked": self.one_of((1, "${total}", "${n}"))}
        if not simple and self.chance(4):
            fields["retry"] = {"max_retries": self.one_of((0, 1)), "delay_seconds": 0.001}
        node = self.add("act", then, agent="audit", action="check", **fields)
        self.plans[node] = self.plan()
        return node

    def plan(self) -> Plan:
        """What an action comes to."""
        n = self.draw(st.integers(0, 3))
        if not self.chance(4):
            return Plan(n=n)
        return Plan(
            n=n,
            code=self.one_of(_CODES),
            fails_at=self.one_of((None, 0, 1)),
            failing_tries=self.one_of((None, 1, 2)),
        )

    def set(self, then: str) -> str:
        """Variables that are set."""
        return self.add("set", then, type="set", set=self.writes())

    def ending(self, then: str) -> str:
        """An end, of the branch, of all around it, or in an error; or what comes after."""
        how = self.one_of(({}, {"terminate": True}, {"error": self.one_of(_CODES)}))
        end = self.add("end", type="end", **how)
        return self.add("if", type="gateway", condition=self.condition(), next=end, **{"else": then})

    def handled(self, then: str) -> str:
        """Work whose failure is handled."""
        handler = self.action(self.one_of((then, "end")), simple=True)
        return self.action(then, on_error=handler)

    def choice(self, then: str) -> str:
        """One of several branches, or none of them."""
        if self.chance(2):
            sides = {"next": self.sequence(then), "else": self.branch(then)}
            return self.add("if", type="gateway", condition=self.condition(), **sides)
        parts: list[Any] = [
            {"if": self.condition(), "to": self.branch(then)} for _ in range(self.draw(st.integers(1, 2)))
        ]
        if not self.chance(4):
            parts.append({"to": self.branch(then)})
        return self.add("which", type="gateway", next=parts)

    def branch(self, then: str) -> str:
        """A sequence, or nothing: a step that does nothing."""
        return self.add("pass", then, type="pass") if self.chance(3) else self.sequence(then)

    def to_join(self, join: str) -> str:
        """A branch by which exactly one flow leads to a join, or as many as it comes to."""
        return self.branch(join if self.chance(4) else self.add("pass", join, type="pass"))

    def split(self, then: str, mode: str, join: Any) -> tuple[str, list[str]]:
        """A join and the branches that lead to it."""
        joined = self.add("join", then if then != "end" else "end", type="gateway", mode=mode, join=join)
        self.steps[-1]["next"] = then
        return joined, [self.to_join(joined) for _ in range(self.draw(st.integers(2, 3)))]

    def parallel(self, then: str) -> str:
        """All branches, and all of them are waited for."""
        _, branches = self.split(then, "parallel", "all")
        if self.chance(3):
            return self.action("end", next=branches)
        return self.add("all", type="gateway", mode="parallel", next=branches)

    def parted(self, then: str) -> str:
        """Work after which every branch follows whose condition holds, and none is waited for."""
        parts = [self.branch(then), {"if": self.condition(), "to": self.branch("end")}]
        return self.action("end", next=parts)

    def inclusive(self, then: str) -> str:
        """Every branch whose condition holds, and those that came to be are waited for."""
        _, branches = self.split(then, "inclusive", "all")
        parts: list[Any] = [{"if": self.condition(), "to": each} for each in branches[1:]]
        return self.add("some", type="gateway", mode="inclusive", next=[*parts, {"to": branches[0]}])

    def partial(self, then: str) -> str:
        """All branches, and the first of them to come go on."""
        join = self.one_of(("any", {"count": 2}, {"count": 1, "cancel": True}, {"count": 2, "cancel": True}))
        _, branches = self.split(then, "parallel", join)
        return self.add("all", type="gateway", mode="parallel", next=branches)

    def needing(self, then: str) -> str:
        """A step that needs others."""
        if self.in_loop:
            return self.action(then)
        needed = [self.action("end") for _ in range(self.draw(st.integers(1, 3)))]
        self.action(then, needs=needed)
        if self.chance(3) and len(needed) > 1:
            self.steps[-1]["join"] = "any"
        return self.add("all", type="gateway", mode="parallel", next=needed)

    def question(self, then: str) -> str:
        """A question to a person."""
        return self.add("ask", type="human", decisions={"yes": then, "no": self.branch(then)})

    def loop(self, then: str) -> str:
        """A gateway that leads back, twice at most."""
        outside, self.in_loop = self.in_loop, True
        count = f"c{self.made}"
        self.variables[count] = {"default": 0, "merge": "sum"}
        back = self.add("again", type="gateway")
        gateway = self.steps[-1]
        body = self.sequence(self.add("count", back, type="set", set={count: 1}))
        head = self.action(body)
        gateway["next"] = [{"if": f"{count} < 2", "to": head}, {"to": then}]
        self.in_loop = outside
        return self.add("pass", head, type="pass")

    def scope(self, then: str, **fields: Any) -> str:
        """Steps within a step, perhaps with a handler of its failures."""
        if self.chance(2):
            handler = self.action(self.one_of((then, "end")), simple=True)
            codes = self.one_of(("*", ["broken"], None))
            caught = {"on_error": handler} if codes is None else {"on": [{"error": codes, "next": handler}]}
            fields |= caught
        if self.chance(4):
            fields["save"] = self.writes()
        around, self.steps, looped, self.in_loop = self.steps, [], self.in_loop, False
        self.sequence("end")
        inside, self.steps, self.in_loop = self.steps, around, looped
        return self.add("scope", then, type="scope", steps=inside, **fields)

    def for_each(self, then: str) -> str:
        """Work, or a scope, once for each element."""
        each: dict[str, Any] = {"in": list(range(self.draw(st.integers(0, 4))))}
        each |= self.one_of(({}, {"mode": "sequential"}, {"limit": 2}))
        if self.chance(3):
            each["until"] = self.one_of(("index == 1", "n > 2", "total > 2"))
        if self.chance(2):
            each["on_item_error"] = "collect"
        if self.chance(4):
            each["collect"] = "${default(n, 0) * 2}"
        if self.chance(3):
            return self.scope(then, for_each=each)
        return self.action(then, for_each=each)

    def repeat(self, then: str) -> str:
        """Work, or a scope, again while something holds."""
        condition = self.one_of(("index < 1", "n < 2", "total < 3", "yes"))
        again = {"while": condition, "max": self.draw(st.integers(1, 3))}
        if self.chance(3):
            return self.scope(then, repeat=again)
        return self.action(then, repeat=again)
