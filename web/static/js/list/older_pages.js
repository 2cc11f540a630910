// Older messages: loaded when the end of the list comes near. Without JavaScript the same link opens the next page.

import { closest, find } from "../common/dom.js";
import { getJson, SignedOutError } from "../common/requests.js";
import { timeElement } from "../common/times.js";
import { BackOff } from "../core/back_off.js";
import { compareCursors, dateOfCursor } from "../core/cursors.js";
import { addToStatistics } from "../filter/statistics.js";
import { RunningSearch } from "../filter/stop_button.js";
import { addressOfList, rowsElement, shownList } from "./shown_list.js";

/** @typedef {import("../common/types.js").ListPageData} ListPageData */
/** @typedef {import("./rows.js").Rows} Rows */

// At this length the link opens the next page instead: a list without a limit makes every computer slow.
const MAX_LOADED = 2000;
const LOAD_AHEAD_PIXELS = 800;
const MIN_WAIT_MS = 2_000;
const MAX_WAIT_MS = 30_000;
// A filtered list that was disconnected reads at most this many further pages, of 2,000 messages each, to catch up.
const MAX_FURTHER_PAGES = 5;

export class OlderPages {
  /**
   * @param {Rows} rows
   * @param {HTMLElement} element holds the link to older messages
   * @param {{ onError: (error: unknown) => void }} callbacks
   */
  constructor(rows, element, { onError }) {
    this.rows = rows;
    this.dataset = rowsElement().dataset;
    this.element = element;
    this.onError = onError;
    /** @type {Promise<number> | null} */
    this.loading = null;
    /** @type {ReturnType<typeof setTimeout> | null} */
    this.retryTimer = null;
    this.search = new RunningSearch();
    this.backOff = new BackOff(MIN_WAIT_MS, MAX_WAIT_MS);
  }

  start() {
    // The window scrolls on a narrow page, the list on a wide one: in the capture phase one listener gets both.
    document.addEventListener("scroll", () => this.loadIfNear(), { capture: true, passive: true });
    this.element.addEventListener("click", (event) => {
      if (!closest(event, "a[rel=next]", HTMLAnchorElement) || this.rows.count >= MAX_LOADED) return;
      event.preventDefault();
      this.cancelRetry();
      this.load();
    });
    if (this.rows.count && this.isNear()) this.load();
  }

  isNear() {
    return this.element.getBoundingClientRect().top < innerHeight + LOAD_AHEAD_PIXELS;
  }

  /** Load a page if the end of the list is near, unless a retry is scheduled, or the reader stopped the search. */
  loadIfNear() {
    if (!this.retryTimer && !this.search.wasStopped && this.isNear()) this.load();
  }

  /** Load one older page and return its number of rows. Concurrent callers share one request. */
  load() {
    this.loading ??= this.loadPage().then((count) => {
      this.loading = null;
      // After a short page the end may still be near. An empty page stops: each further search costs reads.
      if (count) this.loadIfNear();
      return count;
    });
    return this.loading;
  }

  async loadPage() {
    const before = this.dataset.older;
    if (!before || this.rows.count >= MAX_LOADED) return 0;
    this.element.setAttribute("aria-busy", "true");
    const signal = this.search.start(this.element, { isLong: Boolean(shownList().filter) });
    try {
      const page = await this.fetchPage(before, signal);
      this.cancelRetry();
      // The end of the list moved during the request: the page does not fit any longer.
      if (this.dataset.older !== before) return 0;
      this.rows.append(page.rows);
      this.setOlder(page.older);
      showSearched(page, { isFirst: false });
      return page.rows.length;
    } catch (error) {
      if (!this.search.wasStopped) this.scheduleRetry(error);
      return 0;
    } finally {
      this.search.end();
      this.element.removeAttribute("aria-busy");
    }
  }

  /**
   * Report the first failure only, and retry with growing waits. A click on the link does not wait.
   * @param {unknown} error
   */
  scheduleRetry(error) {
    if (this.backOff.isFresh) this.onError(error);
    clearTimeout(this.retryTimer ?? undefined);
    this.retryTimer = setTimeout(() => {
      this.retryTimer = null;
      if (!(error instanceof SignedOutError)) this.loadIfNear();
    }, this.backOff.next());
  }

  cancelRetry() {
    clearTimeout(this.retryTimer ?? undefined);
    this.retryTimer = null;
    this.backOff.reset();
  }

  /**
   * Read the newest messages again: the stream could not send what arrived after `from`, the newest row's cursor (empty
   * without rows). `isWhole` tells whether the list now has all that arrived since.
   * @param {string} from
   */
  async reload(from) {
    const isFiltered = Boolean(shownList().filter);
    const page = await this.fetchPage("");
    // A filter may accept few of many messages: read on, back to the cursor where the page was.
    const isBehind = () => from && page.older && compareCursors(page.older, from) > 0;
    for (let count = 0; isFiltered && isBehind() && count < MAX_FURTHER_PAGES; count += 1) {
      const next = await this.fetchPage(page.older ?? "");
      page.rows.push(...next.rows);
      page.older = next.older;
    }
    const isWhole = !page.older || (from !== "" && !isBehind());
    if (from && (isWhole || isFiltered)) {
      this.rows.merge(page.rows);
    } else {
      this.rows.replace(page.rows);
      this.setOlder(page.older);
      showSearched(page, { isFirst: true });
    }
    return { ...page, isWhole };
  }

  /**
   * @param {string} before
   * @param {AbortSignal} [signal]
   * @returns {Promise<ListPageData>}
   */
  fetchPage(before, signal) {
    return getJson(addressOfList({ before }), signal);
  }

  /**
   * Continue after this cursor; null if nothing is older.
   * @param {string | null} cursor
   */
  setOlder(cursor) {
    const isFocused = this.element.contains(document.activeElement);
    this.dataset.older = cursor ?? "";
    const isFiltered = Boolean(shownList().filter);
    this.element.replaceChildren();
    if (!cursor) {
      if (this.rows.count) this.showText(`The beginning: nothing older ${isFiltered ? "matches" : "is kept"}.`);
      return;
    }
    if (isFiltered) this.showText("Searched back to ", cursorTime(cursor));
    const link = document.createElement("a");
    link.className = "btn btn-outline-secondary";
    link.rel = "next";
    link.textContent = isFiltered ? "Search older" : "Older messages";
    link.href = addressOfList({ before: cursor });
    this.element.append(link);
    if (isFocused) link.focus({ preventScroll: true });
  }

  /** @param {...(string | Node)} parts */
  showText(...parts) {
    const line = document.createElement("p");
    line.className = "quiet";
    line.append(...parts);
    this.element.append(line);
  }
}

/**
 * Show in the empty list how many messages the search has read.
 * @param {ListPageData} page
 * @param {{ isFirst: boolean }} options whether this page starts a new search
 */
function showSearched(page, { isFirst }) {
  addToStatistics(page, { isFirst });
  const line = find("#looked", HTMLElement);
  if (!line) return;
  const count = (isFirst ? 0 : Number(line.dataset.lookedAt)) + page.looked_at;
  line.dataset.lookedAt = String(count);
  const text = `0 of ${count.toLocaleString("en")} messages; searched back to `;
  if (page.older) line.replaceChildren(text, cursorTime(page.older));
  else line.textContent = "All that is kept was searched.";
}

/** @param {string} cursor */
function cursorTime(cursor) {
  return timeElement(dateOfCursor(cursor).toISOString());
}
