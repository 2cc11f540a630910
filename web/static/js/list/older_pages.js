// Older messages, loaded when the end of the list comes near. Without JavaScript the same link turns the page.

import { SignedOutError, get } from "../common/requests.js";
import { compare } from "./rows.js";
import { listAddress } from "./filter_box.js";
import { timeElement } from "../common/times.js";

// Beyond this the link turns the page instead: a list that grows without end makes every machine slow.
const MOST_LOADED = 2000;
const AHEAD_PIXELS = 800;
const FIRST_WAIT_MS = 2_000;
const LONGEST_WAIT_MS = 30_000;
// So often a list that was away looks on for what came meanwhile, 2,000 messages at a time.
const MOST_AGAIN = 5;

export class History {
  constructor(rows, body, place, { failed }) {
    this.rows = rows;
    this.body = body;
    this.place = place;
    this.failed = failed;
    this.loading = null; // the promise of what is on its way
    this.resting = null; // the timer that asks again after a failure
    this.wait = 0;
    // Window and list both scroll, by the width of the page: captured, one listener hears either.
    document.addEventListener("scroll", () => this.goOn(), { capture: true, passive: true });
    place.addEventListener("click", (event) => {
      if (event.target.closest("a[rel=next]") && this.rows.count < MOST_LOADED) {
        event.preventDefault();
        this.wake();
        this.more();
      }
    });
  }

  isNear() {
    return this.place.getBoundingClientRect().top < innerHeight + AHEAD_PIXELS;
  }

  address(before) {
    const { q, subscription } = this.body.dataset;
    return listAddress(q, subscription, before);
  }

  /** Where the end is near, load more; not while the server rests. */
  goOn() {
    if (!this.resting && this.isNear()) this.more();
  }

  /** Load an older page, one at a time: who asks meanwhile waits for the same. How many rows came. */
  more() {
    this.loading ??= this.load().then((found) => {
      this.loading = null;
      // A short page may leave the end in sight. A search that found nothing asks before it looks further: it costs reads.
      if (found) this.goOn();
      return found;
    });
    return this.loading;
  }

  async load() {
    const before = this.body.dataset.older;
    if (!before || this.rows.count >= MOST_LOADED) return 0;
    this.place.setAttribute("aria-busy", "true");
    try {
      const page = await this.page(before);
      this.wake();
      // The end may have moved while the page was on its way: then it belongs to another list.
      if (this.body.dataset.older !== before) return 0;
      this.rows.append(page.rows);
      this.setOlder(page.older);
      this.tellLooked(page);
      return page.rows.length;
    } catch (error) {
      this.rest(error);
      return 0;
    } finally {
      this.place.removeAttribute("aria-busy");
    }
  }

  /** The server failed: said once, and asked again later and later. Who presses the link need not wait. */
  rest(error) {
    if (!this.wait) this.failed(error);
    this.wait = Math.min(2 * this.wait || FIRST_WAIT_MS, LONGEST_WAIT_MS);
    clearTimeout(this.resting);
    this.resting = setTimeout(() => {
      this.resting = null;
      if (!(error instanceof SignedOutError)) this.goOn();
    }, this.wait);
  }

  wake() {
    clearTimeout(this.resting);
    this.resting = null;
    this.wait = 0;
  }

  /**
   * Read the newest again: the stream could not say what came since `from`, the newest row; empty without rows.
   * `isWhole` says whether all that came in between is here.
   */
  async reload(from) {
    const page = await this.page("");
    // A filter may find little in much: it looks on until it is back where the page was.
    const isBetween = () => this.body.dataset.q && from && page.older && compare(page.older, from) > 0;
    for (let again = 0; isBetween() && again < MOST_AGAIN; again += 1) {
      const next = await this.page(page.older);
      page.rows.push(...next.rows);
      page.older = next.older;
    }
    page.isWhole = !page.older || Boolean(from && compare(page.older, from) <= 0);
    if (from && (page.isWhole || this.body.dataset.q)) {
      this.rows.merge(page.rows);
      return page;
    }
    this.rows.replace(page.rows);
    this.setOlder(page.older);
    this.tellLooked(page, 0);
    return page;
  }

  async page(before) {
    return (await get(this.address(before), "application/json")).json();
  }

  setOlder(cursor) {
    const focused = this.place.contains(document.activeElement);
    this.body.dataset.older = cursor ?? "";
    const isFiltered = Boolean(this.body.dataset.q);
    this.place.replaceChildren();
    if (!cursor) {
      if (this.rows.count) this.say(`The beginning: nothing older ${isFiltered ? "matches" : "is kept"}.`);
      return;
    }
    if (isFiltered) this.say("Searched back to ", moment(cursor));
    const link = document.createElement("a");
    link.className = "btn btn-outline-secondary";
    link.rel = "next";
    link.textContent = isFiltered ? "Search older" : "Older messages";
    link.href = this.address(cursor);
    this.place.append(link);
    if (focused) link.focus({ preventScroll: true });
  }

  say(...parts) {
    const line = document.createElement("p");
    line.className = "quiet";
    line.append(...parts);
    this.place.append(line);
  }

  /** While nothing is found, the empty list says how much was looked at. */
  tellLooked(page, before = null) {
    const place = document.getElementById("looked");
    if (!place) return;
    const count = (before ?? Number(place.dataset.lookedAt)) + page.looked_at;
    place.dataset.lookedAt = String(count);
    if (page.older) place.replaceChildren(`0 of ${count.toLocaleString("en")} messages; searched back to `, moment(page.older));
    else place.textContent = "All that is kept was searched.";
  }
}

/** When a cursor was received. */
function moment(cursor) {
  return timeElement(new Date(Number(cursor.split("-")[0]) / 1000).toISOString());
}
