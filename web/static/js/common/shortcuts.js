// The keyboard. The page's own table of keys (web/help.py) says which key means what; a key means something only where
// it would not write or press something else. Keys of one character can be turned off: a voice that is typed presses them.

import { keep, remembered } from "./local_storage.js";

const BUSY = "input, textarea, select, [contenteditable]";
const KEY = "subscope-keys"; // "on" or "off": this browser's choice, in every tab

let areOn = true;

/** What the table of this page says: key -> action. */
function readTable() {
  return new Map([...document.querySelectorAll("#keys [data-key]")].map((one) => [one.dataset.key, one.dataset.action]));
}

/** Keys of one character: on or off. Escape and Enter always mean something. */
function choose(wanted) {
  areOn = wanted;
  document.documentElement.classList.toggle("keys-off", !areOn);
  for (const box of document.querySelectorAll("[data-keys-choice]")) box.checked = areOn;
}

function startChoice() {
  const choice = () => choose(remembered(KEY) !== "off");
  choice();
  addEventListener("storage", (event) => event.key === KEY && choice());
  addEventListener("pageshow", choice); // Back brings the boxes as they were left
  document.addEventListener("change", ({ target }) => {
    if (!target.matches("[data-keys-choice]")) return;
    keep(KEY, target.checked ? "on" : "off");
    choose(target.checked);
  });
}

export function showKeys() {
  document.getElementById("keys").showModal();
}

function publish() {
  location.assign(document.getElementById("publish-link").href);
}

/** `actions` are this page's own, by the table's names; publishing and help are every page's. */
export function startKeys(actions) {
  const table = readTable();
  const all = { help: showKeys, publish, ...actions };
  startChoice();
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    const target = event.target instanceof Element ? event.target : document.body;
    if (target.closest(BUSY) || document.querySelector("dialog[open]")) return;
    // Space and Enter belong to the control that has the focus.
    if (event.key === "Enter" && target.closest("button, summary, a")) return;
    if (event.key === " " && target.closest("button, summary, pre")) return;
    const action = all[table.get(event.key)];
    if (!action || (!areOn && event.key.length === 1)) return;
    if (event.key !== "Escape") event.preventDefault();
    action();
  });
}
