// Older messages, loaded when the end of the list comes near. Without JavaScript the same link turns the page.

import { get } from "./requests.js";

// Beyond this the link turns the page instead: a list that grows without end makes every machine slow.
const MOST_LOADED = 2000;
const AHEAD_PIXELS = 800;

export class History {
  constructor(rows, body, place, { failed }) {
    this.rows = rows;
    this.body = body;
    this.place = place;
    this.failed = failed;
    this.loading = false;
    // Window and list both scroll, by the width of the page: captured, one listener hears either.
    document.addEventListener("scroll", () => this.isNear() && this.more(), { capture: true, passive: true });
    place.addEventListener("click", (event) => {
      if (event.target.closest("a[rel=next]") && this.rows.count < MOST_LOADED) {
        event.preventDefault();
        this.more();
      }
    });
  }

  isNear() {
    return this.place.getBoundingClientRect().top < innerHeight + AHEAD_PIXELS;
  }

  address(before) {
    const query = new URLSearchParams();
    if (before) query.set("before", before);
    if (this.body.dataset.subscription) query.set("subscription", this.body.dataset.subscription);
    return query.size ? `/messages?${query}` : "/messages";
  }

  async more() {
    const before = this.body.dataset.older;
    if (!before || this.loading || this.rows.count >= MOST_LOADED) return;
    this.loading = true;
    this.place.setAttribute("aria-busy", "true");
    try {
      const page = await (await get(this.address(before), "application/json")).json();
      // The end may have moved while the page was on its way: then it belongs to another list.
      if (this.body.dataset.older === before) {
        this.rows.append(page.rows);
        this.setOlder(page.older);
      }
    } catch (error) {
      this.failed(error);
      return;
    } finally {
      this.loading = false;
      this.place.removeAttribute("aria-busy");
    }
    // A short page may leave the end in sight.
    if (this.isNear()) this.more();
  }

  /** Read the newest page again: the stream could not say what came in between. */
  async reload() {
    const page = await (await get(this.address(""), "application/json")).json();
    this.rows.replace(page.rows);
    this.setOlder(page.older);
    return page;
  }

  setOlder(cursor) {
    this.body.dataset.older = cursor ?? "";
    if (!cursor) {
      this.place.replaceChildren();
      if (this.rows.count) {
        const end = document.createElement("p");
        end.className = "quiet";
        end.textContent = "The beginning: nothing older is kept.";
        this.place.append(end);
      }
      return;
    }
    let link = this.place.querySelector("a[rel=next]");
    if (!link) {
      link = document.createElement("a");
      link.className = "btn btn-outline-secondary";
      link.rel = "next";
      link.textContent = "Older messages";
      this.place.replaceChildren(link);
    }
    link.href = this.address(cursor);
  }
}
