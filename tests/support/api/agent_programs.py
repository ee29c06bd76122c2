"""The programs of `examples/agents` as processes, whose work stops in the middle until a test lets it go on."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from runtime.settings import PROJECT
from tests.support.api.client import key_of
from tests.support.api.outside_work import OWN
from tests.support.waiting import wait_until

EXAMPLES: Final = PROJECT / "examples" / "agents"
PROGRAMS: Final = {"python": sys.executable, "sh": "sh", "node": "node"}
FILES: Final = {"python": "agent.py", "sh": "agent.sh", "node": "agent.mjs"}
WITHOUT_JQ: Final = "sh without jq"


@dataclass(slots=True)
class AgentProgram:
    """A running agent; its work says in files that it has begun, and waits for one that lets it end."""

    folder: Path
    process: "subprocess.Popen[bytes]"

    def wait_until_at_work(self) -> None:
        wait_until((self.folder / "begun").exists, "the agent is at work", explain=self.said)

    def let_work_end(self) -> None:
        (self.folder / "may_end").touch()

    def send(self, number: signal.Signals) -> None:
        """To the agent and to all that it has started: what happens to a machine happens to all of them."""
        work = self.folder / "work.pid"
        for pid in (self.process.pid, int(work.read_text()) if work.exists() else self.process.pid):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(os.getpgid(pid), number)

    def ask_to_stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)

    def said(self) -> str:
        return (self.folder / "said").read_text(encoding="utf-8")


_WORK: Final = """echo $$ > "$FOLDER/work.pid"; cat > "$FOLDER/given"; touch "$FOLDER/begun"
while [ ! -e "$FOLDER/may_end" ]; do sleep 0.05; done
[ ! -e "$FOLDER/fails" ] || exit 3
printf '{"by": "%s"}' "$AGENT_ID"
"""


@contextmanager
def agent_program(
    language: str,
    address: str,
    folder: Path,
    agent_id: str = OWN,
    *,
    key: str = OWN,
    at_once: bool = False,
    capabilities: str = "refunds translation",
    work: str = _WORK,
) -> Iterator[AgentProgram]:
    """An agent in this language, at the API of this address."""
    folder.mkdir()
    if at_once:
        (folder / "may_end").touch()
    path = os.environ["PATH"]
    if language == WITHOUT_JQ:
        language, path = "sh", _without_jq(folder)
    if shutil.which(PROGRAMS[language]) is None:
        pytest.skip(f"{language} is not installed")
    environment = {
        "PATH": path,
        "UNPEND_API": address,
        "UNPEND_API_KEY": key_of(key),
        "AGENT_ID": agent_id,
        "CAPABILITIES": capabilities,
        "WORK": work,
        "FOLDER": str(folder),
    }
    command = [PROGRAMS[language], str(EXAMPLES / FILES[language])]
    with (folder / "said").open("wb") as said:
        process = subprocess.Popen(
            command, env=environment, start_new_session=True, stdout=said, stderr=subprocess.STDOUT
        )
    program = AgentProgram(folder, process)
    try:
        yield program
    finally:
        program.send(signal.SIGKILL)
        process.wait(180)


def _without_jq(folder: Path) -> str:
    """A search path with what the program needs, and no jq."""
    tools = folder / "tools"
    tools.mkdir()
    for name in ("sh", "curl", "grep", "sed", "head", "sleep", "cat", "mktemp", "rm", "touch"):
        found = shutil.which(name)
        assert found is not None
        (tools / name).symlink_to(found)
    return str(tools)
