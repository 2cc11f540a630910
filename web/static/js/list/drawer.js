// A message beside the list. An open drawer has the message's own address: Back closes it, Forward opens it again.

import { closest, find, opensElsewhere, query } from "../common/dom.js";
import { copy } from "../message/copy.js";
import { cancelDetail, loadDetail, startDetail } from "../message/detail.js";
import { asRow, previewLink, siblingRow } from "./row.js";

/** @typedef {import("./row.js").MaybeRow} MaybeRow */

export class Drawer {
  /**
   * @param {HTMLElement} element
   * @param {HTMLTableSectionElement} body holds the rows
   * @param {{ onError: (error: unknown) => void, onChange: () => void }} callbacks
   */
  constructor(element, body, { onError, onChange }) {
    this.element = element;
    this.body = body;
    this.onError = onError;
    this.onChange = onChange;
    this.wasFocused = false; // whether the open drawer has had the focus
    /** @type {HTMLTableRowElement | null} */
    this.focusedRow = null; // the row that shortcuts led to
  }

  start() {
    startDetail(this.element, { onError: this.onError });
    this.element.addEventListener("click", (event) => closest(event, "[data-close]", HTMLElement) && this.close());
    this.body.addEventListener("click", (event) => this.onRowClick(event));
    addEventListener("popstate", ({ state }) => (state?.drawer ? this.reopen() : this.hide()));
  }

  get isOpen() {
    return !this.element.hidden;
  }

  get selected() {
    return find("tr.selected", HTMLTableRowElement, this.body);
  }

  /** Whether the focus is in the row that shortcuts led to: it must not move then. */
  get holdsFocus() {
    return Boolean(this.focusedRow?.contains(document.activeElement));
  }

  /** @param {MouseEvent} event */
  onRowClick(event) {
    const row = closest(event, "tr.message", HTMLTableRowElement);
    if (!row || event.defaultPrevented || opensElsewhere(event)) return;
    // A click on a filter link, or one that ends a selection of text, does not open the message.
    if (closest(event, "a[data-filter]", HTMLAnchorElement) || String(getSelection())) return;
    event.preventDefault();
    this.open(row);
  }

  /** @param {HTMLTableRowElement} row */
  open(row) {
    this.select(row);
    const address = previewLink(row).getAttribute("href") ?? "";
    history[this.isOpen ? "replaceState" : "pushState"]({ drawer: true }, "", address);
    return this.show(address, row);
  }

  /** Open the message of the address after Forward. Its row may have left the list. */
  reopen() {
    const id = location.pathname.split("/").at(-1) ?? "";
    const row = find(`tr.message[data-id="${CSS.escape(id)}"]`, HTMLTableRowElement, this.body);
    this.select(row);
    return this.show(location.href, row);
  }

  /**
   * @param {string} address
   * @param {MaybeRow} row
   */
  async show(address, row) {
    this.element.hidden = false;
    document.body.classList.add("drawer-open");
    row?.scrollIntoView({ block: "nearest" }); // the list becomes narrower, so rows move
    this.element.setAttribute("aria-busy", "true");
    try {
      if (!(await loadDetail(this.element, address))) return;
      this.element.scrollTop = 0;
      // Once per opening: of two quick openings, only the second shows its detail.
      if (!this.wasFocused) query("[data-close]", HTMLElement, this.element).focus({ preventScroll: true });
      this.wasFocused = true;
    } catch (error) {
      this.close();
      this.onError(error);
    }
    this.element.removeAttribute("aria-busy");
    this.onChange();
  }

  /** @param {MaybeRow} row */
  select(row) {
    this.selected?.classList.remove("selected");
    row?.classList.add("selected");
  }

  openSelected() {
    const row = this.selected;
    if (row) this.open(row);
  }

  /** Copy the link to the selected message. */
  copyLink() {
    const row = this.selected;
    if (row) copy(previewLink(row).href, "The link");
  }

  close() {
    if (this.isOpen) history.back();
  }

  hide() {
    if (!this.isOpen) return;
    this.wasFocused = false;
    this.focusedRow = null;
    cancelDetail(this.element);
    this.element.removeAttribute("aria-busy");
    this.element.hidden = true;
    this.element.replaceChildren();
    document.body.classList.remove("drawer-open");
    const row = this.selected;
    if (row) {
      row.scrollIntoView({ block: "nearest" });
      previewLink(row).focus({ preventScroll: true });
    }
    this.onChange();
  }

  /**
   * Go to the next (1) or the previous (-1) row. An open drawer shows it.
   * @param {1 | -1} step
   */
  step(step) {
    const row = this.selected ? siblingRow(this.selected, step) : asRow(this.body.firstElementChild);
    if (!row) return;
    this.select(row);
    row.scrollIntoView({ block: "nearest" });
    if (this.isOpen) {
      this.open(row);
    } else {
      this.focusedRow = row;
      previewLink(row).focus({ preventScroll: true });
    }
  }
}
