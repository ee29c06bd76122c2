#!/usr/bin/env python3
"""An outside agent: `UNPEND_API=… UNPEND_API_KEY=… AGENT_ID=… CAPABILITIES=refunds WORK=./refund.sh ./agent.py`."""

import json
import os
import signal
import subprocess
from urllib import error, request

API, AGENT, WORK = (os.environ[name] for name in ("UNPEND_API", "AGENT_ID", "WORK"))
HEADERS = {"Authorization": f"Bearer {os.environ['UNPEND_API_KEY']}", "Content-Type": "application/json"}


def call(path: str, body: dict) -> dict:
    try:
        with request.urlopen(request.Request(f"{API}{path}", json.dumps(body).encode(), HEADERS)) as answer:
            return json.load(answer)
    except error.HTTPError as refusal:  # 409: the step is no longer ours
        return json.load(refusal)


def do(step: dict) -> None:
    at, lease, given = f"/steps/{step['step_id']}", {"lease_id": step["lease_id"]}, json.dumps(step).encode()
    work = subprocess.Popen(WORK, shell=True, stdin=-1, stdout=-1, start_new_session=True)
    while work.returncode is None:
        try:
            output, _ = work.communicate(given, timeout=step["lease_seconds"] / 3)
        except subprocess.TimeoutExpired:
            given = None  # it has been sent
            if call(f"{at}/heartbeat", lease).get("cancelled", True):  # or lost: nobody waits for it
                os.killpg(work.pid, signal.SIGKILL)
    failure = {"code": "work_failed", "message": f"exit {work.returncode}", "retry": True}
    verb, said = ("fail", failure) if work.returncode else ("complete", {"output": json.loads(output)})
    call(f"{at}/{verb}", lease | said)


call("/agents/register", {"agent_id": AGENT, "capabilities": os.environ["CAPABILITIES"].split()})
signal.signal(signal.SIGTERM, lambda *_: call(f"/agents/{AGENT}/drain", {}))
while (given := call(f"/agents/{AGENT}/poll", {"wait_seconds": 25})).get("status") in ("active", "busy"):
    [do(step) for step in given["steps"]]
