"""docs/state_machine.md and the tables say the same."""

from runtime.settings import PROJECT
from statemachine import page as pages
from statemachine.orders.diagram import mermaid, page
from statemachine.orders.machine import TRANSITIONS
from statemachine.orders.states import State
from statemachine.workflow import diagram as workflow
from statemachine.workflow.agent_states import AGENT_TRANSITIONS
from statemachine.workflow.states import DEFINITION_TRANSITIONS, RUN_TRANSITIONS, STEP_TRANSITIONS

PAGE = PROJECT / "docs" / "state_machine.md"


def test_the_page_is_drawn_from_the_table_as_it_is() -> None:
    assert PAGE.read_text(encoding="utf-8") == pages.page(), "run: python docs/generate.py"


def test_the_page_has_a_row_for_every_transition_and_marks_ours() -> None:
    rows = [line.split("|")[1:-1] for line in page().splitlines() if line.startswith("| ")][1:]
    told = {
        (source.strip(), event.strip(" `"), target.strip(), ours.strip())
        for source, event, target, _, ours in rows
    }
    assert told == {
        (row.source.value, row.event.value, row.target.value, "★" if row.ours else "")
        for row in TRANSITIONS.values()
    }


def test_the_page_has_a_row_for_every_move_of_a_step_a_run_a_definition_and_an_agent() -> None:
    rows = [line for line in workflow.page().splitlines() if line.startswith("| ") and "from" not in line]
    tables = (STEP_TRANSITIONS, RUN_TRANSITIONS, DEFINITION_TRANSITIONS, AGENT_TRANSITIONS)
    assert len(rows) == sum(len(table) for table in tables)


def test_the_picture_shows_every_state_and_every_event() -> None:
    picture = mermaid()
    assert all(state in picture for state in State)
    assert all(event in picture for _, event in TRANSITIONS)
    assert picture.startswith("stateDiagram-v2\n    [*] --> pending\n")
    assert picture.endswith("    closed --> [*]")


def test_the_readme_shows_the_picture_as_it_is() -> None:
    readme = (PROJECT / "README.md").read_text(encoding="utf-8")
    assert f"```mermaid\n{mermaid()}\n```" in readme, "run: python docs/generate.py"
