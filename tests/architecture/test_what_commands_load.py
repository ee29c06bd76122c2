"""What each `unpend` command loads before it has something to say: counted in modules, not in time."""

import http.server
import importlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer.main

from fleet.command.app import application
from fleet.command.failure import EXPECTED

HEAVY = {
    "sqlalchemy", "psycopg", "alembic", "celery", "kombu", "fastapi", "starlette", "uvicorn", "httpx2", "asyncio",
    "cryptography", "phonenumbers", "redis", "pydantic_settings", "structlog", "jsonschema",
    "storage", "engine", "tasks", "workers", "api",
}  # fmt: skip
OVER_HTTP = (
    "status",
    "check",
    "why HT1",
    "task list",
    "task show HT1",
    "task cancel HT1 --reason none",
    "review list",
    "review show 1",
    "alert list",
    "capacity list",
    "keys list",
    "people list",
    "workflow list",
    "workflow show HT1",
    "webhooks list",
    "webhooks log",
    "notices log",
    "intake rejected",
    "policy explain HT1",
    "report daily",
    "stop list",
    "do-not-call list",
    "live rebuild",
)
_RUN = """
import json, sys
from fleet.command.app import main
sys.argv[0] = "unpend"
try:
    main()
finally:
    sys.stderr.write("\\n" + json.dumps(sorted({name.partition(".")[0] for name in sys.modules})))
"""


class _Refusing(http.server.BaseHTTPRequestHandler):
    """An API that has an answer for everybody: what was asked for is not there."""

    def _refuse(self) -> None:
        body = json.dumps({"error": {"code": "not_found", "message": "there is none"}}).encode()
        self.send_response(404)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = do_PUT = do_DELETE = _refuse  # noqa: N815 - the names that are looked for

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name it has there
        pass


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Refusing) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/v1"
        server.shutdown()
        thread.join()


def loaded_by(arguments: list[str], folder: Path, **environment: str) -> tuple[set[str], str]:
    """The packages that a command had loaded when it ended, and all that it said."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("UNPEND_")}
    ran = subprocess.run(
        [sys.executable, "-c", _RUN, *arguments],
        cwd=folder,
        env=inherited | environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    said, _, modules = ran.stderr.rpartition("\n")
    return set(json.loads(modules)), ran.stdout + said


@pytest.mark.parametrize("command", OVER_HTTP)
def test_a_command_that_asks_the_api_loads_neither_its_server_nor_the_database(
    command: str, address: str, tmp_path: Path
) -> None:
    loaded, said = loaded_by(command.split(), tmp_path, UNPEND_API_URL=address, UNPEND_API_KEY="a key")
    assert "there is none" in said or "HT1" in said, said
    assert loaded & HEAVY == set()


def test_submit_loads_what_reads_orders_and_no_more(address: str, tmp_path: Path) -> None:
    (tmp_path / "orders.jsonl").write_text('{"task_id": "HT1"}\n')
    loaded, said = loaded_by(
        ["submit", "orders.jsonl"], tmp_path, UNPEND_API_URL=address, UNPEND_API_KEY="a key"
    )
    assert said
    assert loaded & HEAVY <= {"phonenumbers"}


def test_a_command_for_which_no_fleet_runs_loads_nothing_heavy(tmp_path: Path) -> None:
    for command in ("status", "down", "task list", "keys list"):
        loaded, said = loaded_by(command.split(), tmp_path)
        assert "no fleet is running" in said
        assert loaded & HEAVY == set(), command


def test_the_help_of_every_command_loads_nothing_heavy(tmp_path: Path) -> None:
    names = typer.main.get_group(application).list_commands(None)  # type: ignore[arg-type]
    assert len(names) > 20
    for name in names:
        loaded, said = loaded_by([name, "--help"], tmp_path)
        assert f"unpend {name}" in said
        assert loaded & (HEAVY - {"asyncio"}) == set(), name


def test_what_is_not_asked_for_is_not_loaded() -> None:
    unwanted = ("fleet.command.people.review", "pydantic", "psutil", "rich")
    program = f"import sys, fleet.command.app; print([name for name in {unwanted} if name in sys.modules])"
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ran.stdout == "[]\n"


@pytest.mark.parametrize(("module", "name"), EXPECTED.items())
def test_what_a_command_tells_in_one_line_is_there_to_be_raised(module: str, name: str) -> None:
    assert issubclass(getattr(importlib.import_module(module), name), Exception)
