#!/usr/bin/env python3
"""An outside agent: `UNPEND_API=… UNPEND_API_KEY=… AGENT_ID=… CAPABILITIES=refunds WORK=./refund.sh ./agent.py`."""

import json
import os
import signal
import subprocess
from urllib import error, request

API, KEY, AGENT = (os.environ[name] for name in ("UNPEND_API", "UNPEND_API_KEY", "AGENT_ID"))


def call(path: str, body: dict) -> dict:
    headers = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}
    try:
        with request.urlopen(request.Request(f"{API}{path}", json.dumps(body).encode(), headers)) as answer:
            return json.load(answer)
    except error.HTTPError as refusal:  # 409: the step is no longer ours
        return json.load(refusal)


def do(step: dict) -> None:
    at, lease, output = f"/steps/{step['step_id']}", {"lease_id": step["lease_id"]}, None
    work = subprocess.Popen(os.environ["WORK"], shell=True, stdin=-1, stdout=-1, start_new_session=True)
    while output is None:
        try:
            output, _ = work.communicate(json.dumps(step).encode(), timeout=step["lease_seconds"] / 3)
        except subprocess.TimeoutExpired:
            if call(f"{at}/heartbeat", lease).get("cancelled", True):  # or lost: nobody waits for it
                os.killpg(work.pid, signal.SIGKILL)
    if work.returncode:
        call(f"{at}/fail", lease | {"code": "work_failed", "message": f"{work.returncode}", "retry": True})
    else:
        call(f"{at}/complete", lease | {"output": json.loads(output)})


call("/agents/register", {"agent_id": AGENT, "capabilities": os.environ["CAPABILITIES"].split()})
signal.signal(signal.SIGTERM, lambda *_: call(f"/agents/{AGENT}/drain", {}))
while (given := call(f"/agents/{AGENT}/poll", {"wait_seconds": 25})).get("status") in ("active", "busy"):
    for each in given["steps"]:
        do(each)
