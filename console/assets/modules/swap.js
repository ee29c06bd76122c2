// Forms and links with `data-swap` change the page in place; without this module they work as forms and links.
import { parse, prefix } from "./trusted.js";

const told = { "X-Requested-With": "swap" };
const kept = ["list", "review"];

export const request = (url, body) =>
  fetch(url, body ? { method: "POST", body: new URLSearchParams(body), headers: told, keepalive: true } : { headers: told });

// Shows a page that was fetched; places where people have scrolled to stay.
export const show = (html, url, push = true) => {
  const page = parse(html);
  const main = page.querySelector("main");
  if (!main) return location.assign(url);
  const places = kept.map((id) => document.getElementById(id)?.scrollTop ?? 0);
  const before = document.getElementById("review")?.dataset.review;
  document.title = page.title;
  document.querySelector("main").replaceChildren(...main.childNodes);
  if (push && url !== location.href) history.pushState(null, "", url);
  const same = document.getElementById("review")?.dataset.review === before;
  kept.forEach((id, nth) => {
    const element = document.getElementById(id);
    if (element && (id !== "review" || same)) element.scrollTop = places[nth];
  });
  document.dispatchEvent(new CustomEvent("unpend:shown", { detail: { before } }));
};

export const go = async (url, body) => {
  const answer = await request(url, body);
  if (answer.status === 401) return location.assign(`${prefix}/login`);
  show(await answer.text(), answer.url);
};

const fields = (form, button) => {
  const found = new FormData(form);
  if (button?.name) found.append(button.name, button.value);
  return found;
};

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!form.matches("[data-swap]") || event.defaultPrevented) return;
  event.preventDefault();
  const found = fields(form, event.submitter);
  const asked = new CustomEvent("unpend:send", { detail: { form, found }, cancelable: true });
  if (!document.dispatchEvent(asked)) return;
  const get = form.method === "get";
  const query = new URLSearchParams([...found].filter(([, value]) => value));
  go(get ? `${form.action.split("?")[0]}?${query}` : form.action, get ? undefined : found).catch(() => form.submit());
});
document.addEventListener("click", (event) => {
  const link = event.target.closest?.("a[data-swap]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  go(link.href).catch(() => location.assign(link.href));
});
addEventListener("popstate", () => go(location.href).catch(() => location.reload()));
