// The keyboard: `data-key` names the key of a button, link or field; `g` and a letter open a page; `?` shows all.
const off = "unpend.keys.off";
const help = document.getElementById("help");
let wantsPage = false;

const isTyping = (element) => element.matches?.("textarea, select, [contenteditable], input:not([type=radio], [type=checkbox])");
const isSeen = (element) => element.offsetParent !== null && !element.disabled;

const explain = () => {
  const list = document.getElementById("help-keys");
  const pages = [...document.querySelectorAll("[data-letter]")].map((link) => [`g ${link.dataset.letter}`, link.textContent.trim()]);
  const keys = [...document.querySelectorAll("[data-key]")].map((element) => [
    element.dataset.key.replace(/^Key|^Digit/, ""),
    element.dataset.keyName ?? element.textContent.trim(),
  ]);
  list.replaceChildren(
    ...[...keys, ...pages].flatMap(([key, name]) => {
      const term = document.createElement("dt");
      const mark = document.createElement("kbd");
      mark.textContent = key;
      term.append(mark);
      const words = document.createElement("dd");
      words.textContent = name;
      return [term, words];
    }),
  );
  help.showModal();
};

const press = (element) => {
  if (element.matches("input, textarea, select")) element.focus();
  else element.click();
};

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && isTyping(event.target)) return event.target.blur();
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || isTyping(event.target)) return;
  if (document.querySelector("dialog[open]") || localStorage.getItem(off)) return;
  let found;
  if (wantsPage) found = document.querySelector(`[data-letter="${event.code.replace("Key", "").toLowerCase()}"]`);
  else if (event.key === "?" || (event.code === "Slash" && event.shiftKey)) return explain(event.preventDefault());
  else if (event.code === "Slash") found = document.querySelector("[data-search]");
  else if (!event.shiftKey) found = [...document.querySelectorAll(`[data-key="${event.code}"]`)].find(isSeen);
  wantsPage = !wantsPage && event.code === "KeyG" && !event.shiftKey;
  if (found) {
    event.preventDefault();
    press(found);
  }
});

const box = document.getElementById("keys-off");
if (box) {
  box.checked = Boolean(localStorage.getItem(off));
  box.addEventListener("change", () => (box.checked ? localStorage.setItem(off, "1") : localStorage.removeItem(off)));
}
document.querySelector("[data-help]")?.addEventListener("click", explain);
