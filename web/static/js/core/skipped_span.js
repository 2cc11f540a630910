// Messages that the page left out: their number and the span of time they lie in. No DOM.

import { compareCursors } from "./cursors.js";

/** @typedef {import("./cursors.js").Cursor} Cursor */

export class SkippedSpan {
  constructor() {
    this.count = 0;
    this.isExact = true;
    /** @type {Cursor} */
    this.oldest = "";
    /** @type {Cursor} */
    this.newest = "";
  }

  /**
   * Count messages that were received but will not be shown.
   * @param {Cursor[]} cursors
   */
  add(cursors) {
    this.count += cursors.length;
    for (const cursor of cursors) this.widen(cursor);
  }

  /**
   * Include a span of which the server did not send every message: the number is unknown from now on.
   * @param {Cursor} from
   * @param {Cursor} to
   */
  addUncounted(from, to) {
    this.isExact = false;
    this.widen(from);
    this.widen(to);
  }

  /** @param {Cursor} cursor */
  widen(cursor) {
    if (!this.oldest || compareCursors(cursor, this.oldest) < 0) this.oldest = cursor;
    if (!this.newest || compareCursors(cursor, this.newest) > 0) this.newest = cursor;
  }
}
