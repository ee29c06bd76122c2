"""What a definition may be: every fault is told, and what is sound is accepted."""

import pytest

from statemachine.workflow.definition import Kind, MalformedWorkflow, Step
from statemachine.workflow.expression.compiled import Expression
from statemachine.workflow.expression.template import ValueTemplate
from statemachine.workflow.options.gateways import Branch
from statemachine.workflow.options.loops import ForEach
from tests.support.workflow.definitions import action, gateway, human, workflow

CONDITION = Expression.parse("ok")
FAULTS: dict[str, tuple[tuple[Step, ...], str]] = {
    "an id used twice": (
        (action("a"), action("a"), action("b"), action("b")),
        "these step ids are used twice: a, b",
    ),
    "a purpose declared twice": (
        (action("a", "b", purpose="answer"), action("b", purpose="answer")),
        "these purposes are declared twice: answer",
    ),
    "the name of a target": (
        (action("end"),),
        "step 'end' has a name that means something else: 'end' is a target",
    ),
    "no first step": (
        (action("a", "g"), gateway("g", "ok", "a", "end")),
        "it has no first step: every step is led to by another",
    ),
    "an unknown target": ((action("a", "b"),), "step 'a' leads to 'b', which is not a step"),
    "an unknown else": (
        (gateway("g", "ok", "end", "b"),),
        "step 'g' leads to 'b', which is not a step",
    ),
    "an unknown decision target": ((human("h", go="b"),), "step 'h' leads to 'b', which is not a step"),
    "an unknown on_error": (
        (action("a", on_error="b"),),
        "step 'a' leads to 'b', which is not a step",
    ),
    "an unknown need": (
        (action("a"), action("b", needs=("a", "x"))),
        "step 'b' needs 'x', which is not a step",
    ),
    "the origin outside decisions": (
        (action("a", "$origin"),),
        "step 'a' leads to '$origin', which only a decision may",
    ),
    "the origin as else": (
        (gateway("g", "ok", "end", "$origin"),),
        "step 'g' leads to '$origin', which only a decision may",
    ),
    "the origin as on_error": (
        (action("a", on_error="$origin"),),
        "step 'a' leads to '$origin', which only a decision may",
    ),
    "a target named twice": ((action("a", "b", "b"), action("b")), "step 'a' leads to 'b' twice"),
    "an action without agent": (
        (Step(id="a", action="check"),),
        "step 'a' is an action and names no agent or no action",
    ),
    "an action without action": (
        (Step(id="a", agent="audit"),),
        "step 'a' is an action and names no agent or no action",
    ),
    "a gateway without condition": (
        (Step(id="g", kind=Kind.GATEWAY, next=("end",), otherwise=("end",)),),
        "step 'g' is a gateway and needs condition, next and else",
    ),
    "a gateway without else": (
        (Step(id="g", kind=Kind.GATEWAY, next=("end",), condition=CONDITION),),
        "step 'g' is a gateway and needs condition, next and else",
    ),
    "a gateway without next": (
        (Step(id="g", kind=Kind.GATEWAY, otherwise=("end",), condition=CONDITION),),
        "step 'g' is a gateway and needs condition, next and else",
    ),
    "an else beside a branch without if": (
        (Step(id="g", kind=Kind.GATEWAY, branches=(Branch(next=("end",)),), otherwise=("end",)),),
        "step 'g' has a branch without 'if', which is taken where no other is, beside an 'else', which never is",
    ),
    "a human step without decisions": (
        (human("h"),),
        "step 'h' is a human step and lists no decisions",
    ),
    "a wait for nothing": (
        (Step(id="w", kind=Kind.WAIT),),
        "step 'w' is a wait and needs either seconds, not_before, until or events",
    ),
    "a question for each element": (
        (Step(id="h", kind=Kind.HUMAN, decisions={"ok": "end"}, loop=ForEach(items=ValueTemplate.of([1]))),),
        "step 'h' has several ways to go on, and is done for each element; put it into a scope that is",
    ),
    "a wait for two things": (
        (Step(id="w", kind=Kind.WAIT, wait_seconds=1, not_before="at"),),
        "step 'w' is a wait and needs either seconds, not_before, until or events",
    ),
    "a condition on an action": (
        (action("a", condition=CONDITION),),
        "step 'a' is of type action and has 'condition', which has no effect there",
    ),
    "an else on an action": (
        (action("a", otherwise=("b",)), action("b")),
        "step 'a' is of type action and has 'else', which has no effect there",
    ),
    "decisions on an action": (
        (action("a", decisions={"go": "end"}),),
        "step 'a' is of type action and has 'decisions', which has no effect there",
    ),
    "a next on a human step": (
        (Step(id="h", kind=Kind.HUMAN, decisions={"go": "end"}, next=("end",)),),
        "step 'h' is of type human and has 'next', which has no effect there",
    ),
    "an inline wait": (
        (Step(id="w", kind=Kind.WAIT, wait_seconds=1, inline=True),),
        "step 'w' is of type wait and has 'inline', which has no effect there",
    ),
    "parameters of a wait": (
        (Step(id="w", kind=Kind.WAIT, wait_seconds=1, parameters={"a": 1}),),
        "step 'w' is of type wait and has 'parameters', which has no effect there",
    ),
    "parameters of a human step": (
        (Step(id="h", kind=Kind.HUMAN, decisions={"go": "end"}, parameters={"a": 1}),),
        "step 'h' is of type human and has 'parameters', which has no effect there",
    ),
    "parameters of a gateway": (
        (gateway("g", "ok", "end", "end", parameters={"a": 1}),),
        "step 'g' is of type gateway and has 'parameters', which has no effect there",
    ),
    "seconds on a gateway": (
        (gateway("g", "ok", "end", "end", wait_seconds=60),),
        "step 'g' is of type gateway and has 'seconds', which has no effect there",
    ),
    "an island": (
        (action("a"), action("b", "g"), gateway("g", "ok", "b", "end")),
        "step 'b' is never reached",
    ),
    "gateways in a circle": (
        (action("a", "g"), gateway("g", "ok", "f", "end"), gateway("f", "ok", "g", "end")),
        "step 'g' lies in a loop of gateways and inline steps alone, which takes no time",
    ),
    "inline steps in a circle": (
        (action("a", "b"), action("b", "g", inline=True), gateway("g", "ok", "b", "end")),
        "step 'b' lies in a loop of gateways and inline steps alone, which takes no time",
    ),
    "a loop that nothing leaves": (
        (action("a", "b"), action("b", "c"), action("c", "b")),
        "step 'b' never comes to an end: everything after it leads back",
    ),
    "a branch that never ends beside one that does": (
        (action("a", "b", "c"), action("b", "b"), action("c")),
        "step 'a' never comes to an end: everything after it leads back",
    ),
    "failures that catch one another": (
        (action("a", "b", on_error="b"), action("b", on_error="a"), action("s", "a")),
        "step 'a' catches, by on_error, its own failure in a circle without a person",
    ),
    "a join that names a need twice": (
        (action("a"), action("j", needs=("a", "a"))),
        "step 'j' needs 'a' twice",
    ),
    "a join that needs itself": (
        (action("a"), action("j", needs=("a", "j"))),
        "step 'j' joins branches and lies in a loop",
    ),
    "a join in a loop": (
        (action("a", "b"), action("b"), action("j", "g", needs=("b",)), gateway("g", "ok", "b", "end")),
        "step 'j' joins branches and lies in a loop",
    ),
    "a join of what a loop repeats": (
        (
            action("a", "b", "c"),
            action("b", "g"),
            gateway("g", "ok", "b", "end"),
            action("c"),
            action("j", needs=("b", "c")),
        ),
        "step 'j' needs 'b', which lies in a loop and may end more than once",
    ),
    "a join that is led to besides": (
        (action("a", "j"), action("j", needs=("a",))),
        "step 'j' needs other steps and is led to by 'a' besides; one of the two must go",
    ),
    "a join of a gateway": (
        (gateway("g", "ok", "end", "end"), action("a"), action("j", needs=("a", "g"))),
        "step 'j' needs 'g', which is a gateway and has no end of its own; name the step before it",
    ),
    "a join of several of which one is inline": (
        (action("a"), action("b", inline=True), action("j", needs=("a", "b"))),
        (
            "step 'j' needs 'b', which is inline and ends within another step's transaction,"
            " where the join is not looked at"
        ),
    ),
    "a join of a question that may be asked again": (
        (action("a", "h", on_error="h"), human("h", again="$origin", stop="end"), action("j", needs=("h",))),
        "step 'j' needs 'h', whose answers lead to '$origin', so that it may be asked more than once",
    ),
    "a join of what two branches reach": (
        (action("a", "b", "c"), action("b", "d"), action("c", "d"), action("d"), action("j", needs=("d",))),
        "step 'j' needs 'd', which parallel branches reach more than once; let them join first",
    ),
    "a join of what two first steps reach": (
        (action("a", "d"), action("b", "d"), action("d"), action("j", needs=("d",))),
        "step 'j' needs 'd', which parallel branches reach more than once; let them join first",
    ),
    "a join of both sides of a gateway": (
        (gateway("g", "ok", "a", "b"), action("a"), action("b"), action("j", needs=("a", "b"))),
        "step 'j' can never be entered: it needs 'a' and 'b', which lie on different sides of 'g'",
    ),
    "a join of two decisions": (
        (human("h", yes="a", no="b"), action("a"), action("b"), action("j", needs=("a", "b"))),
        "step 'j' can never be entered: it needs 'a' and 'b', which lie on different sides of 'h'",
    ),
}


@pytest.mark.parametrize(("steps", "fault"), FAULTS.values(), ids=FAULTS.keys())
def test_a_definition_that_cannot_run_is_refused_with_its_fault(steps: tuple[Step, ...], fault: str) -> None:
    with pytest.raises(MalformedWorkflow) as refusal:
        workflow(*steps)
    assert fault in refusal.value.problems
    assert "workflow 'tried' cannot run: " in str(refusal.value)


def test_a_definition_names_an_on_error_that_exists() -> None:
    with pytest.raises(MalformedWorkflow) as refusal:
        workflow(action("a"), on_error="nobody")
    assert refusal.value.problems == ("on_error names 'nobody', which is not a step",)


def test_every_fault_is_told_at_once() -> None:
    with pytest.raises(MalformedWorkflow) as refusal:
        workflow(action("a", "x"), human("h"), Step(id="w", kind=Kind.WAIT))
    assert len(refusal.value.problems) == 3


def test_a_workflow_of_no_steps_has_no_first_step() -> None:
    with pytest.raises(MalformedWorkflow, match="no first step"):
        workflow()


SOUND: dict[str, tuple[Step, ...]] = {
    "a chain by next": (action("a", "b"), action("b", "end")),
    "a chain by needs": (action("a"), action("b", needs=("a",)), action("c", needs=("b",))),
    "a loop with work and a way out": (action("s", "a"), action("a", "g"), gateway("g", "ok", "a", "end")),
    "two ways that meet without a join": (
        gateway("g", "ok", "a", "b"),
        action("a", "c"),
        action("b", "c"),
        action("c"),
        action("j", needs=("c",)),
    ),
    "a join after parallel branches": (
        action("a", "b", "c"),
        action("b"),
        action("c"),
        action("j", needs=("b", "c")),
    ),
    "a gateway that joins": (
        action("a", "b", "c"),
        action("b"),
        action("c"),
        gateway("j", "b.total > c.total", "end", "end", needs=("b", "c")),
    ),
    "a join of one inline step": (action("a", inline=True), action("j", needs=("a",))),
    "a question whose answer repeats what failed": (
        action("a", on_error="h"),
        human("h", again="$origin", stop="end"),
    ),
    "a question whose answer goes back": (
        action("s", "a"),
        action("a", "h"),
        human("h", again="a", stop="end"),
    ),
    "failures that end": (action("a", on_error="end"),),
}


@pytest.mark.parametrize("steps", SOUND.values(), ids=SOUND.keys())
def test_a_sound_definition_is_accepted(steps: tuple[Step, ...]) -> None:
    assert set(workflow(*steps).steps) == {step.id for step in steps}


def test_a_workflow_starts_where_nothing_leads() -> None:
    built = workflow(action("a", "c"), action("b"), action("c"), human("h", stop="end"), on_error="h")
    assert built.start == ("a", "b")


def test_a_workflow_knows_which_joins_wait_for_a_step() -> None:
    built = workflow(action("a"), action("b"), action("j", needs=("a", "b")), action("k", needs=("b",)))
    assert built.waiting_for == {"a": ("j",), "b": ("j", "k")}
    assert built.flows == {"j": ("a", "b")}


def test_a_built_workflow_cannot_be_changed() -> None:
    built = workflow(action("a"), variables={"limit": 1})
    for mapping in (built.steps, built.variables, built.waiting_for):
        with pytest.raises(TypeError):
            mapping["x"] = None  # type: ignore[index]


def test_a_long_definition_is_checked_in_no_time() -> None:
    steps = [action(f"a{number}", f"a{number + 1}") for number in range(199)]
    built = workflow(*steps, action("a199"))
    assert built.start == ("a0",)
