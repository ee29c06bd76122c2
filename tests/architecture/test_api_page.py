"""docs/api.md, the API's description and the table of routes by state say the same."""

import importlib.util
from functools import cache
from types import ModuleType

from starlette.routing import WebSocketRoute

from api.outbound import event_socket
from runtime.settings import PROJECT
from statemachine.orders.states import State

PAGE = PROJECT / "docs" / "api.md"
REFERENCE = PROJECT / "console" / "access" / "api_reference.json"


@cache
def api_page() -> ModuleType:
    """What draws the page; `docs` holds pages and no package."""
    spec = importlib.util.spec_from_file_location("api_page", PROJECT / "docs" / "api_page.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_is_drawn_from_the_description_and_the_table() -> None:
    assert PAGE.read_text(encoding="utf-8") == api_page().page(), "run: python docs/generate.py"


def test_the_reference_of_the_console_is_drawn_from_the_description() -> None:
    assert REFERENCE.read_text(encoding="utf-8") == api_page().reference(), "run: python docs/generate.py"


def test_every_route_is_on_the_page() -> None:
    page = api_page().page()
    for path, methods in api_page().document()["paths"].items():
        for method in methods:
            assert f"`{method.upper()} {path}` · " in page


def test_every_socket_is_on_the_page_with_the_codes_it_closes_with() -> None:
    page = api_page().page()
    for route in event_socket.router.routes:
        assert isinstance(route, WebSocketRoute)
        assert f"`WS /v1{route.path}`" in page
    for close in event_socket.Close:
        assert f"| {close.value} | " in page


def test_every_state_is_a_situation_of_the_table() -> None:
    situations = api_page().table()["situations"]
    assert {name.partition(",")[0] for name in situations} == {state.value for state in State}


def test_every_reason_is_used_and_every_cell_names_one_that_is_there() -> None:
    table = api_page().table()
    cells = [
        answer
        for call in table["calls"].values()
        for mode in api_page().MODES
        for answer in api_page().answers_of(call[mode], list(table["situations"])).values()
    ]
    named = {answer.partition(" ")[2] for answer in cells} - {""}
    assert named == table["reasons"].keys()


def test_every_route_of_the_table_is_one_of_the_description() -> None:
    known = {
        f"{method.upper()} {path}"
        for path, methods in api_page().document()["paths"].items()
        for method in methods
    }
    assert {call["route"] for call in api_page().table()["calls"].values()} <= known
