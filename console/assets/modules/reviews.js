// The worklist: the next review is shown at once, what was decided is sent until it has arrived, and can be undone.
import { go, request, show } from "./swap.js";
import { parse, prefix } from "./trusted.js";

const token = document.body.dataset.token;
const renewEvery = 120_000;
const tryFor = 120_000;
const tryEvery = 2000;
let ahead;
let aheadId;
let aheadOf;
let decided;

const opened = () => document.getElementById("review");
const mine = () => ("mine" in (opened()?.dataset ?? {}) ? opened().dataset.review : undefined);
const address = (id, verb) => `${prefix}/reviews/${id}/${verb}${location.search}`;
const leave = (id) => navigator.sendBeacon(address(id, "leave"), new URLSearchParams({ token }));

const mark = () => {
  document.querySelectorAll("[data-open]").forEach((link) => {
    if (link.dataset.open === opened()?.dataset.review) link.setAttribute("aria-current", "true");
    else link.removeAttribute("aria-current");
  });
};

// What follows is fetched, and taken, while this one is read; `ahead` is the promise of it.
const fetchAhead = async () => {
  const narrowed = location.search;
  try {
    const answer = await request(`${prefix}/reviews/next${narrowed}`, { token });
    const html = await answer.text();
    const id = parse(html).getElementById("review")?.dataset.review;
    if (answer.ok && id && narrowed !== location.search) {
      leave(id);
      ahead = undefined;
      return void lookAhead();
    }
    aheadId = answer.ok ? id : undefined;
    aheadOf = narrowed;
    return aheadId && { id, html, url: answer.url };
  } catch {
    return undefined;
  }
};
const lookAhead = () => {
  if (!ahead && mine()) ahead = fetchAhead();
};

const refreshTray = (html) => {
  const fresh = parse(html).getElementById("tray");
  if (fresh) document.getElementById("tray")?.replaceWith(fresh);
};

// An undelivered decision is sent again under its key; once it cannot be, its review is back on top.
const deliver = async (url, body, id) => {
  const until = Date.now() + tryFor;
  const entry = document.createElement("div");
  entry.className = "held";
  entry.textContent = `… ${id}`;
  while (Date.now() < until) {
    try {
      const answer = await request(url, body);
      if (answer.status < 500) {
        const html = await answer.text();
        entry.remove();
        return answer.ok ? refreshTray(html) : show(html, `${prefix}/reviews/${id}${location.search}`);
      }
    } catch {
      // Not delivered: once more.
    }
    entry.dataset.failed = "";
    document.getElementById("tray")?.prepend(entry);
    await new Promise((resolve) => setTimeout(resolve, tryEvery));
  }
  entry.remove();
  location.assign(`${prefix}/reviews/${id}`);
};

document.addEventListener("unpend:send", async (event) => {
  const { form, found } = event.detail;
  if (!form.matches("[data-decide]")) return;
  event.preventDefault();
  const id = mine();
  decided = id;
  const next = await ahead;
  ahead = aheadId = undefined;
  if (!next) return go(form.action, found).catch(() => deliver(form.action, found, id));
  found.append("ahead", "1");
  show(next.html, next.url);
  deliver(form.action, found, id);
});

document.addEventListener("click", (event) => {
  const link = event.target.closest?.("[data-open]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  go(address(link.dataset.open, "take"), { token }).catch(() => location.assign(link.href));
});

document.addEventListener("keydown", (event) => {
  const step = { KeyJ: 1, KeyK: -1 }[event.code];
  if (!step || event.ctrlKey || event.metaKey || event.altKey || event.target.matches("input, textarea, select")) return;
  const links = [...document.querySelectorAll("[data-open]")];
  const at = links.findIndex((link) => link === document.activeElement || link.hasAttribute("aria-current"));
  const focused = links.indexOf(document.activeElement);
  links[Math.max(0, Math.min(links.length - 1, (focused >= 0 ? focused : at) + step))]?.focus();
});

document.addEventListener("unpend:shown", ({ detail: { before } }) => {
  const now = opened()?.dataset.review;
  if (before && before !== now && before !== decided) leave(before);
  // The list is narrowed otherwise: what was fetched ahead is not what follows in it.
  const other = aheadId && aheadId !== now && aheadOf !== location.search;
  if (other) leave(aheadId);
  if (other || aheadId === now) ahead = aheadId = undefined;
  decided = undefined;
  mark();
  lookAhead();
});
document.addEventListener("unpend:refreshed", mark);

setInterval(() => {
  const id = mine();
  if (id && document.visibilityState === "visible") request(address(id, "take"), { token }).catch(() => {});
}, renewEvery);
setInterval(() => {
  document.querySelectorAll("[data-seconds]").forEach((entry) => {
    const left = Number(entry.dataset.seconds) - 0.5;
    entry.dataset.seconds = left;
    entry.querySelector("meter").value = Math.max(0, left);
    if (left <= 0) entry.remove();
  });
}, 500);
addEventListener("pagehide", () => {
  [mine(), aheadId].filter(Boolean).forEach(leave);
});

const free = document.querySelector("form[data-take]");
if (free && !document.querySelector(".refusal")) free.requestSubmit();
else lookAhead();
