// Suggestions below the filter box: an ARIA combobox with a list (w3.org/WAI/ARIA/apg/patterns/combobox). The focus
// stays in the box; the arrow keys choose, Enter or a click accepts, Escape closes. Without this script it is a plain box.

import { closest, find, findAll } from "../common/dom.js";
import { announce } from "../common/toasts.js";
import { completed, partAt, suggestions } from "../core/completion.js";
import { rowsElement } from "../list/shown_list.js";

/** @typedef {import("../core/completion.js").Known} Known */
/** @typedef {import("../core/completion.js").Part} Part */
/** @typedef {import("../core/completion.js").Suggestion} Suggestion */

const KINDS = ["json", "text", "binary", "empty"];
const QUALITIES = ["attributes", "data", "key", "redelivery"];
// Reading more rows makes typing slow, and finds few further names.
const MAX_ROWS = 300;

/**
 * Read what is loaded: the fields that the server wrote beside each row (web/facets/row_facets.py).
 * @returns {Known}
 */
function readKnown() {
  /** @type {Known["values"]} */
  const values = new Map();
  const add = (/** @type {string} */ name, /** @type {string} */ value) => {
    const counts = values.get(name) ?? new Map();
    values.set(name, counts.set(value, (counts.get(value) ?? 0) + 1));
  };
  for (const row of findAll("tr.message", HTMLTableRowElement, rowsElement()).slice(0, MAX_ROWS)) {
    for (const line of row.dataset.facets?.split("\n") ?? []) {
      const [name = "", value = ""] = line.split("\t");
      if (name) add(name, value);
    }
  }
  // A colon begins the name of what the server derives.
  const subscriptions = [...(values.get(":subscription")?.keys() ?? [])];
  const severities = values.get(":severity");
  for (const name of [":kind", ":subscription", ":severity"]) values.delete(name);
  if (severities) values.set("severity", severities);
  return {
    values,
    choices: new Map([
      ["kind", KINDS],
      ["has", QUALITIES],
      ["subscription", subscriptions],
    ]),
  };
}

export class Completion {
  /** @param {HTMLInputElement} box */
  constructor(box) {
    this.box = box;
    this.list = document.createElement("ul");
    /** @type {Suggestion[]} */
    this.shown = [];
    this.chosen = -1;
    /** @type {Part} */
    this.part = { start: 0, end: 0, name: "", operator: "", value: "" };
  }

  start() {
    const { box, list } = this;
    list.id = "q-options";
    list.className = "completion";
    list.hidden = true;
    list.setAttribute("role", "listbox");
    list.setAttribute("aria-label", "Suggestions");
    box.after(list);
    // A search field may not be a combobox (w3.org/TR/html-aria); its form is the search.
    box.type = "text";
    for (const [name, value] of [
      ["role", "combobox"],
      ["aria-autocomplete", "list"],
      ["aria-controls", list.id],
      ["aria-expanded", "false"],
    ]) {
      box.setAttribute(name, value);
    }
    box.addEventListener("input", () => this.update());
    box.addEventListener("blur", () => this.close());
    box.addEventListener("keydown", (event) => this.onKey(event));
    // The press would take the focus out of the box.
    list.addEventListener("pointerdown", (event) => event.preventDefault());
    list.addEventListener("click", (event) => {
      const option = closest(event, "[role=option]", HTMLElement);
      if (option) this.accept(Number(option.dataset.index));
    });
  }

  get isOpen() {
    return !this.list.hidden;
  }

  update() {
    const { box } = this;
    this.part = partAt(box.value, box.selectionStart ?? box.value.length);
    this.show(suggestions(this.part, readKnown()));
  }

  /** @param {Suggestion[]} found */
  show(found) {
    this.shown = found;
    this.list.replaceChildren(
      ...found.map(({ text }, index) => {
        const option = document.createElement("li");
        option.id = `q-option-${index}`;
        option.dataset.index = String(index);
        option.setAttribute("role", "option");
        option.setAttribute("aria-selected", "false");
        option.textContent = text;
        return option;
      }),
    );
    this.list.hidden = !found.length;
    this.box.setAttribute("aria-expanded", String(this.isOpen));
    this.choose(-1);
    if (found.length) announce(`${found.length} ${found.length === 1 ? "suggestion" : "suggestions"}.`);
  }

  close() {
    if (this.isOpen) this.show([]);
  }

  /** @param {number} index -1 for none */
  choose(index) {
    this.chosen = index;
    for (const [place, option] of [...this.list.children].entries()) {
      option.setAttribute("aria-selected", String(place === index));
      if (place === index) option.scrollIntoView({ block: "nearest" });
    }
    if (index < 0) this.box.removeAttribute("aria-activedescendant");
    else this.box.setAttribute("aria-activedescendant", `q-option-${index}`);
  }

  /** @param {number} index */
  accept(index) {
    const suggestion = this.shown[index];
    if (!suggestion) return;
    const { filter, caret } = completed(this.box.value, this.part, suggestion);
    this.box.value = filter;
    this.box.setSelectionRange(caret, caret);
    this.box.focus();
    if (suggestion.isOpen) this.update();
    else this.close();
  }

  /** @param {KeyboardEvent} event */
  onKey(event) {
    if (event.ctrlKey || event.metaKey || event.isComposing) return;
    const isArrow = event.key === "ArrowDown" || event.key === "ArrowUp";
    if (isArrow && !this.isOpen) this.update();
    if (!this.isOpen) return;
    const count = this.shown.length;
    if (isArrow) {
      // Between the last and the first suggestion the box itself is chosen.
      const step = event.key === "ArrowDown" ? 1 : count;
      this.choose(((this.chosen + 1 + step) % (count + 1)) - 1);
    } else if (event.key === "Enter" && this.chosen >= 0) {
      this.accept(this.chosen);
    } else if (event.key === "Escape") {
      this.close();
    } else {
      return;
    }
    event.preventDefault();
    event.stopImmediatePropagation();
  }
}

/** Start the suggestions of the page's filter box. */
export function startCompletion() {
  const box = find("#q", HTMLInputElement);
  if (box) new Completion(box).start();
}
