// A message beside the list. While it is open the address is the message's own; Back closes it, Forward opens it again.

import { copy } from "../message/copy.js";
import { forgetDetail, loadDetail, startDetail } from "../message/detail.js";

export class Drawer {
  constructor(place, body, { failed, changed }) {
    this.place = place;
    this.body = body;
    this.failed = failed;
    this.changed = changed;
    this.entered = false; // whether the open drawer has had the focus
    this.walked = null; // the row that keys led to
    startDetail(place, { failed });
    place.addEventListener("click", (event) => event.target.closest("[data-close]") && this.close());
    body.addEventListener("click", (event) => this.clicked(event));
    addEventListener("popstate", ({ state }) => (state?.drawer ? this.openAgain() : this.hide()));
  }

  get isOpen() {
    return !this.place.hidden;
  }

  get selected() {
    return this.body.querySelector("tr.selected");
  }

  clicked(event) {
    const row = event.target.closest("tr.message");
    // Another tab, a filter, or text being selected, is not for us.
    if (!row || event.defaultPrevented || event.target.closest("a[data-filter]") || event.ctrlKey || event.metaKey || event.shiftKey || String(getSelection())) return;
    event.preventDefault();
    this.open(row);
  }

  open(row) {
    this.select(row);
    const address = row.querySelector("a.preview").getAttribute("href");
    history[this.isOpen ? "replaceState" : "pushState"]({ drawer: true }, "", address);
    return this.show(address, row);
  }

  /** Forward led back to a message; its row may be gone from the list. */
  openAgain() {
    const id = location.pathname.split("/").at(-1);
    const row = this.body.querySelector(`tr.message[data-id="${CSS.escape(id)}"]`);
    this.select(row);
    return this.show(location.href, row);
  }

  async show(address, row) {
    this.place.hidden = false;
    document.body.classList.add("drawer-open");
    row?.scrollIntoView({ block: "nearest" }); // the narrower list is laid out anew
    this.place.setAttribute("aria-busy", "true");
    try {
      if (!(await loadDetail(this.place, address))) return;
      this.place.scrollTop = 0;
      // Once for each opening, with what is shown first: of two quick openings that is the second.
      if (!this.entered) this.place.querySelector("[data-close]").focus({ preventScroll: true });
      this.entered = true;
    } catch (error) {
      this.close();
      this.failed(error);
    }
    this.place.removeAttribute("aria-busy");
    this.changed();
  }

  select(row) {
    this.selected?.classList.remove("selected");
    row?.classList.add("selected");
  }

  /** Copy the link to the message that is open or selected. */
  copyLink() {
    const link = this.selected?.querySelector("a.preview");
    if (link) copy(link.href, "The link");
  }

  close() {
    if (this.isOpen) history.back();
  }

  hide() {
    if (!this.isOpen) return;
    this.entered = false;
    this.walked = null;
    forgetDetail(this.place);
    this.place.removeAttribute("aria-busy");
    this.place.hidden = true;
    this.place.replaceChildren();
    document.body.classList.remove("drawer-open");
    this.selected?.scrollIntoView({ block: "nearest" });
    this.selected?.querySelector("a.preview").focus({ preventScroll: true });
    this.changed();
  }

  /** The next (1) or previous (-1) row; shown at once when the drawer is open. */
  step(by) {
    const now = this.selected;
    const next = now ? (by > 0 ? now.nextElementSibling : now.previousElementSibling) : this.body.firstElementChild;
    if (!next) return;
    this.select(next);
    next.scrollIntoView({ block: "nearest" });
    if (this.isOpen) {
      this.open(next);
    } else {
      this.walked = next;
      next.querySelector("a.preview").focus({ preventScroll: true });
    }
  }
}
