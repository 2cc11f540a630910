// Back and a reload return to where the reader was. The history entry of the list keeps how far it was loaded and which
// row stood where. The browser keeps neither, because pages with messages must not be stored.

import { compareCursors } from "../core/cursors.js";
import { cursorOf } from "./row.js";

/** @typedef {import("./older_pages.js").OlderPages} OlderPages */

/**
 * @typedef {object} Position
 * @property {string} cursor the first visible row
 * @property {number} top where it stands, in pixels
 * @property {string} older the cursor where loading continues
 */

const REST_MS = 300;
const AT_TOP_PIXELS = 4;
// With the first page, as many rows as a list keeps while messages arrive. A reader who scrolled deeper restarts at the top.
const MAX_PAGES = 9;
const USER_INPUT = ["wheel", "touchmove", "pointerdown", "keydown"];

export class ScrollPosition {
  /**
   * @param {HTMLElement} list scrolls on a wide page
   * @param {HTMLTableSectionElement} body holds the rows
   * @param {OlderPages} olderPages
   */
  constructor(list, body, olderPages) {
    this.list = list;
    this.body = body;
    this.olderPages = olderPages;
  }

  /** Restore the saved position, then save the position whenever it changes. */
  async start() {
    const position = history.state?.place;
    if (position) await this.restore(position);
    this.startSaving();
  }

  get isAtTop() {
    return Math.max(scrollY, this.list.scrollTop) <= AT_TOP_PIXELS;
  }

  /**
   * Return where the reader is; null at the top.
   * @returns {Position | null}
   */
  get current() {
    const edge = Math.max(0, this.list.getBoundingClientRect().top);
    const row = [...this.body.rows].find((candidate) => candidate.getBoundingClientRect().bottom > edge);
    if (!row || this.isAtTop) return null;
    return { cursor: cursorOf(row), top: row.getBoundingClientRect().top, older: this.body.dataset.older ?? "" };
  }

  /** Save the position, unless the address is that of an open message. */
  save() {
    if (!history.state?.drawer) history.replaceState({ ...history.state, place: this.current }, "");
  }

  startSaving() {
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    let timer;
    const saveNow = () => {
      clearTimeout(timer);
      timer = undefined;
      this.save();
    };
    // Only when the list rests: some browsers allow a hundred changes of the history in half a minute.
    const saveSoon = () => {
      clearTimeout(timer);
      timer = setTimeout(saveNow, REST_MS);
    };
    document.addEventListener("scroll", saveSoon, { capture: true, passive: true });
    addEventListener("popstate", saveSoon);
    // A click or a key may leave the page.
    document.addEventListener("click", saveNow, { capture: true });
    document.addEventListener("keydown", () => timer && saveNow(), { capture: true });
  }

  /** @param {Position} position */
  async restore(position) {
    let isInterrupted = false;
    const interrupt = () => {
      isInterrupted = true;
    };
    for (const name of USER_INPUT) addEventListener(name, interrupt, { passive: true });
    history.scrollRestoration = "manual"; // the browser would scroll to pixels where other rows are now
    await this.loadUntil(position.older, () => isInterrupted);
    if (!isInterrupted) this.scrollTo(position);
    for (const name of USER_INPUT) removeEventListener(name, interrupt);
    if (document.readyState !== "complete") {
      await new Promise((resolve) => addEventListener("load", resolve, { once: true }));
    }
    history.scrollRestoration = "auto";
  }

  /**
   * Load older pages up to a cursor, or until the reader moves.
   * @param {string} older
   * @param {() => boolean} isInterrupted
   */
  async loadUntil(older, isInterrupted) {
    const { dataset } = this.body;
    const isLoaded = () => !dataset.older || (older && compareCursors(dataset.older, older) <= 0);
    for (let page = 0; page < MAX_PAGES && !isLoaded() && !isInterrupted(); page += 1) {
      const before = dataset.older;
      await this.olderPages.load();
      if (dataset.older === before) return;
    }
  }

  /**
   * Put the row, or the next older one, where it stood. Either the list or the window scrolls.
   * @param {Position} position
   */
  scrollTo({ cursor, top }) {
    const row = [...this.body.rows].find((candidate) => compareCursors(cursorOf(candidate), cursor) <= 0);
    if (!row) return;
    this.list.scrollBy(0, row.getBoundingClientRect().top - top);
    scrollBy(0, row.getBoundingClientRect().top - top);
  }

  scrollToTop() {
    scrollTo({ top: 0 });
    this.list.scrollTop = 0;
  }
}
