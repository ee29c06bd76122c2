"""A data folder, the parts of a fleet in this process, and the command run against both."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from typer.testing import CliRunner, Result

from fleet.command.app import application
from tasks.orders.rules.context import make_context
from tests.support.api.live_server import serving
from tests.support.in_process_fleet import InProcessFleet, settings_for


@dataclass(slots=True)
class CommandLine:
    """What a test of a command needs."""

    data_dir: Path
    house: InProcessFleet

    def run(self, *arguments: str, given: str | bytes | None = None, key: str | None = None) -> Result:
        """Run `unpend` with these arguments in this fleet's folder, with a key of its user's own."""
        environment = {"UNPEND_DATA_DIR": str(self.data_dir), "UNPEND_API_KEY": key}
        return CliRunner(env=environment).invoke(application, list(arguments), input=given)

    def read(self, *arguments: str) -> Any:
        """What a command answers with `--json`."""
        result = self.run(*arguments, "--json")
        assert result.stderr == ""
        return json.loads(result.stdout)

    @contextmanager
    def served(self, **settings: Any) -> Iterator[None]:
        """Serve the API of this fleet, which keeps to the usual contact policy, with these further settings."""
        url = self.house.settings.database_url.get_secret_value()
        broker = self.house.settings.broker_url.get_secret_value()
        own = settings_for(url, broker, **{"contact_policy": "standard", **settings})
        context = make_context(own, self.house.database)
        with serving(replace(self.house, settings=own, context=context)) as address:
            self.write_run_file(api=address)
            yield

    def take_api_away(self) -> None:
        """Let nothing answer where the API was: what works now works on the database."""
        self.write_run_file(api="http://127.0.0.1:1/v1")

    def lines(self, *lines: str | bytes) -> Path:
        """A file of these lines."""
        path = self.data_dir / "orders.jsonl"
        encoded = [line if isinstance(line, bytes) else line.encode() for line in lines]
        path.write_bytes(b"".join(line + b"\n" for line in encoded))
        return path

    def write_run_file(self, **document: Any) -> None:
        """Say of the fleet what `up` says."""
        path = self.data_dir / "run.json"
        known = json.loads(path.read_text()) if path.exists() else {}
        addresses = {"api": "http://127.0.0.1:1/v1", "channel": "http://127.0.0.1:1"}
        path.write_text(json.dumps({"ready": True, **addresses, **known, **document}))
