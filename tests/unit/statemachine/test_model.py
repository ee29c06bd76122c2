"""Whatever definition `build` accepts: its runs end, and each join is entered once when its needs are done."""

from typing import Any

from hypothesis import HealthCheck, Phase, assume, find, given, settings
from hypothesis import strategies as st

from statemachine.workflow.definition import END, ORIGIN, Kind, MalformedWorkflow, Step, Workflow
from statemachine.workflow.planner import begin
from statemachine.workflow.values import RunValues
from tests.support.workflow.definitions import action, gateway, human, workflow
from tests.support.workflow.interpreter import Interpreter, answer

MODEL = settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.filter_too_much])


KINDS = (Kind.ACTION, Kind.ACTION, Kind.ACTION, Kind.GATEWAY, Kind.HUMAN, Kind.WAIT)


@st.composite
def definitions(draw: st.DrawFn) -> Workflow:
    """Steps of agents, people and time, mostly leading forwards; gateways and people may lead back."""
    size = draw(st.integers(2, 8))
    ids = [f"s{number}" for number in range(size)]
    kinds = [draw(st.sampled_from(KINDS)) for _ in ids]
    inline = [kind is Kind.ACTION and not draw(st.integers(0, 5)) for kind in kinds]
    joins = [number > 1 and draw(st.integers(0, 2)) == 0 for number in range(size)]
    free = [step_id for step_id, join in zip(ids, joins, strict=True) if not join]
    people = [ids[number] for number in range(size) if kinds[number] is Kind.HUMAN and not joins[number]]
    steps: list[Step] = []
    for number, step_id in enumerate(ids):
        later = [END, *(one for one in free if one > step_id)]
        more: dict[str, Any] = {}
        if joins[number]:
            done = [one for at, one in enumerate(ids[:number]) if kinds[at] is not Kind.GATEWAY]
            more["needs"] = tuple(draw(st.lists(st.sampled_from(done or ids[:1]), max_size=3, unique=True)))
        match kinds[number]:
            case Kind.GATEWAY:
                held = draw(st.lists(st.sampled_from(later), min_size=1, max_size=2, unique=True))
                back = draw(st.sampled_from([*later, *free]))
                steps.append(gateway(step_id, answer(step_id), " ".join(held), back, **more))
            case Kind.HUMAN:
                targets = draw(st.lists(st.sampled_from([*later, *free, ORIGIN]), max_size=2))
                decisions = {f"to_{at}": target for at, target in enumerate([END, *targets])}
                steps.append(Step(id=step_id, kind=Kind.HUMAN, decisions=decisions, **more))
            case kind:
                following = draw(st.lists(st.sampled_from(later), max_size=2, unique=True))
                caught = draw(st.sampled_from([None, None, END, *people]))
                more |= {"inline": inline[number], "on_error": caught, "kind": kind}
                more |= {"wait_seconds": 1} if kind is Kind.WAIT else {}
                steps.append(action(step_id, *following, **more))
    on_error = draw(st.sampled_from([None, *people]))
    try:
        return workflow(*steps, on_error=on_error)
    except MalformedWorkflow:
        assume(False)
        raise


def joins_of(built: Workflow) -> list[Step]:
    return [step for step in built.steps.values() if step.needs]


@MODEL
@given(definitions(), st.randoms(use_true_random=False))
def test_every_run_ends_and_enters_each_join_once_when_its_needs_are_done_unless_a_person_sends_it_back(
    built: Workflow, chance: Any
) -> None:
    run = Interpreter(built, chance.randrange)
    run.run()
    for join in joins_of(built):
        complete = run.outputs.keys() >= set(join.needs)
        assert run.entries[join.id] - run.sent_back[join.id] == (1 if complete else 0), join.id


@MODEL
@given(definitions(), st.randoms(use_true_random=False))
def test_what_is_entered_is_never_a_gateway_and_only_declared_steps(built: Workflow, chance: Any) -> None:
    run = Interpreter(built, chance.randrange)
    run.run()
    assert run.entries.keys() <= built.steps.keys()
    assert all(built.steps[step_id].kind is not Kind.GATEWAY for step_id in run.outputs)
    assert run.entries.keys() >= {
        step_id for step_id in built.start if built.steps[step_id].kind is not Kind.GATEWAY
    }


def test_the_definitions_tried_have_what_the_laws_are_about() -> None:
    generous = settings(MODEL, max_examples=5000, phases=[Phase.generate], derandomize=True)

    def parallel_join(built: Workflow) -> bool:
        return any(len(join.needs) > 1 for join in joins_of(built))

    def join_and_choice(built: Workflow) -> bool:
        return parallel_join(built) and any(step.kind is Kind.GATEWAY for step in built.steps.values())

    def loop(built: Workflow) -> bool:
        return any(
            step.kind is Kind.GATEWAY and any(target <= step.id for target in step.otherwise if target != END)
            for step in built.steps.values()
        )

    for wanted in (join_and_choice, loop):
        assert wanted(find(definitions(), wanted, settings=generous))


def test_the_interpreter_notices_a_join_that_is_entered_twice() -> None:
    built = workflow(action("a", "b", "c"), action("b"), action("c"), action("j", needs=("b", "c")))
    run = Interpreter(built, lambda below: below - 1)
    run.run()
    run._enter(begin(built, RunValues()))
    assert run.entries["a"] == 2
    assert run.entries["j"] == 1


def test_a_person_who_always_answers_again_is_asked_until_chance_is_over() -> None:
    built = workflow(action("a", on_error="h"), human("h", again="$origin"))
    run = Interpreter(built, lambda _: 0)
    run.run()
    assert run.outputs.keys() == {"a", "h"} or run.failed
