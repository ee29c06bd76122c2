"""docs/workflows.md is run: each example is begun with what stands below it, and comes to what stands there."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import pytest
from pydantic import SecretStr

from engine.actions import Action
from engine.outcomes import Done, Failed, Outcome
from runtime.cipher import Cipher
from runtime.settings import PROJECT
from schemas.core.agents import Agent
from schemas.core.definition.text import read_yaml
from statemachine.workflow.states import RunState
from statemachine.workflow.step import INSTANT
from storage.core.database import Database
from storage.people.answers import Respondent
from tasks.flows.context import FlowsContext
from tasks.people.answering import answer
from tasks.people.answers import GivenAnswer
from tests.support.agents import AGENTS
from tests.support.engine.general_runs import ScriptedActions
from tests.support.engine.triggered_runs import runs_of
from tests.support.engine.written_runs import WrittenRuns
from tests.support.flows.http_steps import CALLBACKS, ToTheServer
from tests.support.flows.other_side import OtherSide, Said, said_json
from tests.support.in_process_fleet import CIPHER_KEY, InProcessFleet
from tests.support.probe import Probe
from tests.support.questions import questions_of
from tools.http_requests.http_file import HostLine
from tools.http_requests.rules import HttpRules

PAGE: Final = (PROJECT / "docs" / "workflows.md").read_text(encoding="utf-8")
PAY: Final = HttpRules(
    {"pay.example": HostLine()},
    {"PAY": "UNPEND_SECRET_PAY"},
    {"UNPEND_SECRET_PAY": SecretStr("a secret of the page")},
)


@dataclass(frozen=True, slots=True)
class Example:
    """A definition with those that it names, and one of its runs."""

    definitions: tuple[Mapping[str, Any], ...]
    run: Mapping[str, Any]


def examples() -> Iterator[Example]:
    for section in PAGE.split("\n## ")[1:]:
        blocks = [read_yaml(block).body for block in re.findall(r"```yaml\n(.*?)```", section, re.DOTALL)]
        definitions = tuple(block for block in blocks if "workflow" in block)
        yield from (Example(definitions, block) for block in blocks if "begin" in block)


EXAMPLES: Final = list(examples())


@pytest.fixture
def runs(database_url: str, example: Example, side: OtherSide) -> Iterator[WrittenRuns]:
    """A process that knows the definitions of an example, its actions returning what stands there."""
    bench = ScriptedActions({node: _returning(example.run, node) for node in _told(example.run)})
    actions = [replace(each, parameters={"type": "object"}) for each in bench.actions()]
    actions.append(Action(name="audit.stock", work=bench._work))
    database = Database(database_url, Cipher(CIPHER_KEY))
    house = InProcessFleet.build(
        database_url,
        actions=actions,
        workflows=example.definitions,
        agents=[_with_stock(agent) for agent in AGENTS],
        database=database,
        flows=FlowsContext(database, lambda: ToTheServer(PAY, side.port), CALLBACKS),
    )
    yield WrittenRuns(house, bench)
    house.close()


@pytest.mark.parametrize(
    "example", EXAMPLES, ids=[f"{each.definitions[0]['workflow']}-{at}" for at, each in enumerate(EXAMPLES)]
)
def test_an_example_comes_to_what_stands_below_it(
    runs: WrittenRuns, example: Example, side: OtherSide
) -> None:
    expected = example.run
    for body in example.definitions:
        assert runs.house.engine.definition_rules.examine(body).faults == ()
    statuses = iter(expected.get("answers", ()))
    side.behaviour = lambda _: _said(next(statuses, 200))
    run_id = runs.begin(example.definitions[0]["workflow"], **expected["begin"])
    for happening in expected.get("happens", ()):
        ((what, given),) = happening.items()
        HAPPENINGS[what](runs, run_id, given)
    assert runs.state(run_id) is RunState(expected["state"]), runs.error(run_id)
    assert runs.left_over(run_id) == 0
    passed = _passed(example.definitions[0])
    nodes = {node: states for node, states in runs.nodes(run_id).items() if node not in passed}
    for node, states in expected.get("steps", {}).items():
        assert (node, nodes.pop(node, [])) == (node, [states] if isinstance(states, str) else states)
    assert not ("steps" in expected and nodes), nodes
    assert runs.variables(run_id) == expected.get("variables", runs.variables(run_id))
    for node, wanted in expected.get("inputs", {}).items():
        assert runs.inputs(run_id, node)[-1].items() >= wanted.items()
    asked = [
        {"method": each.method, "path": each.path, "body": each.json if each.body else None}
        for each in side.asked
    ]
    assert asked == expected.get("asked", asked)
    if begun := expected.get("begins"):
        (other,) = runs_of(runs.house, begun["workflow"])
        assert (other["state"], other["variables"]) == ("completed", begun["parameters"])


def test_every_definition_of_the_page_has_a_run() -> None:
    written = re.findall(r"^workflow: (\w+)$", PAGE, re.MULTILINE)
    shown = {str(body["workflow"]) for example in EXAMPLES for body in example.definitions}
    assert (set(written), len(EXAMPLES) >= 12) == (shown, True)


def _told(run: Mapping[str, Any]) -> list[str]:
    return [*run.get("returns", {}), *run.get("fails", {})]


def _passed(part: Mapping[str, Any]) -> set[str]:
    """The steps that are passed at once."""
    own = {
        step["id"] for step in part.get("steps", ()) if step.get("type") in {kind.value for kind in INSTANT}
    }
    return own.union(*(_passed(step) for step in part.get("steps", ())))


def _returning(run: Mapping[str, Any], node: str) -> Any:
    outcome: Outcome = Done(output=run.get("returns", {}).get(node, {}))
    if code := run.get("fails", {}).get(node):
        outcome = Failed(code=code, message="as the page has it")
    return lambda _: outcome


def _with_stock(agent: Agent) -> Agent:
    return replace(agent, capabilities=("stock",)) if agent.name == "audit" else agent


def _said(status: int) -> Said:
    return said_json({"id": "r-1"}, status)


def _answers(runs: WrittenRuns, run_id: str, given: tuple[str, str, str, dict[str, Any]]) -> None:
    node, who, decision, form = given
    review = questions_of(runs.house, run_id)[node]
    by = Respondent(name=who, roles=frozenset({"reviewer"}), has_login=True)
    answer(runs.house.engine, review.review_id, GivenAnswer(decision=decision, by=by, form=form))
    runs.house.run()


def _due(runs: WrittenRuns) -> None:
    """Let every pause before a retry be over."""
    Probe(runs.house.database).write("UPDATE steps SET due_at = clock_timestamp() WHERE state = 'scheduled'")
    runs.house.run()


HAPPENINGS: Final[Mapping[str, Any]] = {
    "message": lambda runs, _, given: runs.message(*given),
    "retries": lambda runs, *_: _due(runs),
    "days": lambda runs, _, given: runs.pass_time(given * 86_400 + 1),
    "answers": _answers,
    "decides": lambda runs, run_id, given: runs.decide(run_id, given[0], decision=given[1]),
}
"""What may happen to a run, by the word of the page."""
