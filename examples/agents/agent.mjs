#!/usr/bin/env node
// An outside agent without packages: the same variables as agent.py.
import { spawn } from "node:child_process";
import { setTimeout as pause } from "node:timers/promises";

const { UNPEND_API, UNPEND_API_KEY, AGENT_ID, CAPABILITIES, WORK } = process.env;

async function call(path, body) {
  const headers = { Authorization: `Bearer ${UNPEND_API_KEY}`, "Content-Type": "application/json" };
  const answer = await fetch(UNPEND_API + path, { method: "POST", headers, body: JSON.stringify(body) });
  return answer.json(); // 409: the step is no longer ours
}

async function run(step) {
  const work = spawn(WORK, { shell: true, detached: true, stdio: ["pipe", "pipe", "inherit"] });
  let output = "";
  work.stdout.on("data", (part) => (output += part));
  work.stdin.on("error", () => {}); // work need not read its step
  work.stdin.end(JSON.stringify(step));
  const ended = new Promise((resolve) => work.on("close", resolve));
  const living = new AbortController();
  (async () => {
    while (await pause((step.lease_seconds * 1000) / 3, true, { signal: living.signal })) {
      const { cancelled = true } = await call(`/steps/${step.step_id}/heartbeat`, { lease_id: step.lease_id });
      if (cancelled) process.kill(-work.pid, "SIGKILL"); // cancelled, or lost: nobody waits for it
    }
  })().catch(() => {});
  const status = await ended;
  living.abort();
  const [verb, said] =
    status === 0
      ? ["complete", { output: JSON.parse(output) }]
      : ["fail", { code: "work_failed", message: `exit ${status}`, retry: true }];
  await call(`/steps/${step.step_id}/${verb}`, { lease_id: step.lease_id, ...said });
}

await call("/agents/register", { agent_id: AGENT_ID, capabilities: CAPABILITIES.split(" ") });
process.on("SIGTERM", () => call(`/agents/${AGENT_ID}/drain`, {}));
for (;;) {
  const given = await call(`/agents/${AGENT_ID}/poll`, { wait_seconds: 25 });
  if (!["active", "busy"].includes(given.status)) break;
  for (const step of given.steps) await run(step);
}
