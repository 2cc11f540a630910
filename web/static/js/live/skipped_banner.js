// The banner about skipped messages: how many, and a link to the list of their time span. There is never a silent gap.

import { query } from "../common/dom.js";
import { minutesText } from "../common/times.js";
import { dateOfCursor, spanTerms } from "../core/cursors.js";
import { SkippedSpan } from "../core/skipped_span.js";
import { addressOfList, shownList } from "../list/shown_list.js";

const SHOW_EVERY_MS = 250;

export class SkippedBanner {
  /** @param {HTMLElement} element */
  constructor(element) {
    this.element = element;
    this.link = query("a", HTMLAnchorElement, element);
    this.text = query(".words", HTMLElement, element);
    this.span = new SkippedSpan();
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.timer = undefined;
    query("button", HTMLButtonElement, element).addEventListener("click", () => this.clear());
  }

  clear() {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.span = new SkippedSpan();
    this.element.hidden = true;
  }

  /**
   * Count messages that were received but will not be shown.
   * @param {{ cursor: string }[]} messages
   */
  add(messages) {
    this.span.add(messages.map(({ cursor }) => cursor));
    this.scheduleShow();
  }

  /**
   * Include a span of which the server did not send every message.
   * @param {string} from
   * @param {string} to
   */
  addUncounted(from, to) {
    this.span.addUncounted(from, to);
    this.scheduleShow();
  }

  scheduleShow() {
    this.timer ??= setTimeout(() => this.show(), SHOW_EVERY_MS);
  }

  show() {
    this.timer = undefined;
    const { count, isExact, oldest, newest } = this.span;
    this.text.textContent = isExact
      ? `${count.toLocaleString("en")} skipped`
      : `Messages skipped since ${minutesText(dateOfCursor(oldest))}`;
    this.link.href = addressOfList({ filter: `${shownList().filter} ${spanTerms(oldest, newest)}`.trim() });
    this.element.hidden = false;
  }
}
