// Keyboard shortcuts. The page's table of shortcuts (web/help.py) names the action of each key. A key does nothing where
// it would type text or press a control. Shortcuts of one character can be switched off: speech input can trigger them.

import { find, findAll, query } from "./dom.js";
import { saveChoice, savedChoice } from "./local_storage.js";

/** @typedef {Record<string, () => unknown>} Actions */

const TYPING = "input, textarea, select, [contenteditable]";
const KEY = "subscope-keys"; // "on" or "off", for every tab of this browser

let isOn = true;

/**
 * Read the page's table: key to action. Of two actions of one key, the page's own one counts.
 * @param {Actions} own
 */
function readTable(own) {
  /** @type {Map<string, string>} */
  const table = new Map();
  for (const { dataset } of findAll("#keys [data-key]", HTMLElement)) {
    const { key = "", action = "" } = dataset;
    if (!table.has(key) || action in own) table.set(key, action);
  }
  return table;
}

/**
 * Switch shortcuts of one character on or off. Escape and Enter always work.
 * @param {boolean} wanted
 */
function switchTo(wanted) {
  isOn = wanted;
  document.documentElement.classList.toggle("keys-off", !isOn);
  for (const box of findAll("[data-keys-choice]", HTMLInputElement)) box.checked = isOn;
}

function startSwitch() {
  const useSaved = () => switchTo(savedChoice(KEY) !== "off");
  useSaved();
  addEventListener("storage", (event) => event.key === KEY && useSaved());
  addEventListener("pageshow", useSaved); // after Back, the boxes are as they were left
  document.addEventListener("change", ({ target }) => {
    if (!(target instanceof HTMLInputElement) || !target.matches("[data-keys-choice]")) return;
    saveChoice(KEY, target.checked ? "on" : "off");
    switchTo(target.checked);
  });
}

export function showShortcuts() {
  query("#keys", HTMLDialogElement).showModal();
}

function openPublishForm() {
  const link = find("#publish-link", HTMLAnchorElement);
  if (link) location.assign(link.href);
}

/**
 * Whether the key belongs to the focused element or to an open dialog.
 * @param {KeyboardEvent} event
 */
function isTaken(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return true;
  const target = event.target instanceof Element ? event.target : document.body;
  if (target.closest(TYPING) || document.querySelector("dialog[open]")) return true;
  // Space and Enter press the focused control.
  if (event.key === "Enter") return target.closest("button, summary, a") !== null;
  return event.key === " " && target.closest("button, summary, pre") !== null;
}

/**
 * Listen for shortcuts. Every page has help and publish; `actions` adds the page's own, by their names in the table.
 * @param {Actions} [actions]
 */
export function startShortcuts(actions = {}) {
  const table = readTable(actions);
  /** @type {Actions} */
  const all = { help: showShortcuts, publish: openPublishForm, ...actions };
  startSwitch();
  document.addEventListener("keydown", (event) => {
    if (isTaken(event)) return;
    const action = all[table.get(event.key) ?? ""];
    if (!action || (!isOn && event.key.length === 1)) return;
    if (event.key !== "Escape") event.preventDefault();
    action();
  });
}
