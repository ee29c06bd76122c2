// Shows what changes: regions with `data-live` name the lists, tasks or runs that they depend on.
import { request } from "./swap.js";
import { parse, prefix, workerAddress } from "./trusted.js";

let revisions;
let isLost = false;
let business;
const status = document.getElementById("live");
const clock = document.getElementById("clock");
const waiting = new Map();

const touched = (names, news) =>
  names.some((name) => news.lists.has(name) || news.tasks.has(name) || (name === "tasks" && news.tasks.size > 0));

const refresh = async (region) => {
  const source = region.dataset.source ?? location.href;
  const answer = await request(source);
  if (!answer.ok) return;
  const fresh = parse(await answer.text()).getElementById(region.id);
  const present = document.getElementById(region.id);
  // What somebody is typing into stays as it is.
  if (!fresh || !present || present.querySelector(":is(input, textarea, select):focus")) return;
  const place = present.scrollTop;
  present.replaceWith(fresh);
  fresh.scrollTop = place;
  document.dispatchEvent(new CustomEvent("unpend:refreshed", { detail: { region: fresh } }));
};

// Never two requests for the same region at once: what comes meanwhile leads to one more.
export const renew = async (region) => {
  if (waiting.has(region.id)) return waiting.set(region.id, true);
  waiting.set(region.id, false);
  try {
    await refresh(region);
  } catch {
    // The stream says when the server is back, and everything is read again.
  }
  const again = waiting.get(region.id);
  waiting.delete(region.id);
  if (again) {
    const present = document.getElementById(region.id);
    if (present) renew(present);
  }
};

const count = (name, number) => {
  const element = document.getElementById(`count-${name}`);
  if (element) element.textContent = number;
};

const pulse = (data) => {
  const changed = Object.keys(data.revisions).filter((name) => revisions && revisions[name] !== data.revisions[name]);
  const everything = isLost || data.cut;
  const news = { lists: new Set(changed), tasks: new Set(data.tasks) };
  revisions = data.revisions;
  isLost = false;
  business = { at: Date.parse(data.now), since: performance.now(), rate: data.rate };
  delete document.body.dataset.stale;
  delete status.dataset.lostNow;
  status.textContent = status.dataset.liveWords;
  count("reviews", data.reviews);
  count("alerts", data.alerts);
  document.querySelectorAll("[data-live]").forEach((region) => {
    if (everything || touched(region.dataset.live.split(" "), news)) renew(region);
  });
};

const lost = () => {
  isLost = true;
  document.body.dataset.stale = "";
  status.dataset.lostNow = "";
  status.textContent = status.dataset.lost;
};

const tick = () => {
  if (!business || !clock) return;
  const now = new Date(business.at + (performance.now() - business.since) * business.rate);
  const chinese = clock.dataset.language === "zh";
  const form = { timeZone: "Asia/Shanghai", month: chinese ? "numeric" : "short", day: "numeric", weekday: "short", hour: "2-digit", minute: "2-digit", hourCycle: "h23" };
  const part = Object.fromEntries(
    new Intl.DateTimeFormat(chinese ? "zh-CN" : "en-GB", form).formatToParts(now).map(({ type, value }) => [type, value]),
  );
  clock.textContent = chinese
    ? `${part.month}月${part.day}日 ${part.weekday} ${part.hour}:${part.minute}`
    : `${part.weekday} ${part.day} ${part.month} ${part.hour}:${part.minute}`;
};

const hear = ({ kind, data }) => (kind === "pulse" ? pulse(data) : lost());

if (status && "SharedWorker" in globalThis) {
  const worker = new SharedWorker(workerAddress(`${prefix}/assets/modules/live_worker.js`));
  worker.port.onmessage = (event) => hear(event.data);
  addEventListener("pagehide", () => worker.port.postMessage("gone"));
} else if (status) {
  const source = new EventSource(`${prefix}/live`);
  source.addEventListener("pulse", (event) => hear({ kind: "pulse", data: JSON.parse(event.data) }));
  source.addEventListener("error", () => hear({ kind: "lost" }));
}
setInterval(tick, 1000);
