// The list: rows ordered by (received_at, id), newest on top, each message once. Rows never move while they are read.

import { findAll } from "../common/dom.js";
import { compareCursors } from "../core/cursors.js";
import { WaitingMessages } from "../core/waiting_messages.js";
import { asRow, cursorOf, deliveriesOf, parseRow, siblingRow } from "./row.js";

/** @typedef {import("../common/types.js").GoneEvent} GoneEvent */
/** @typedef {import("../common/types.js").StreamMessage} StreamMessage */

export const MAX_ROWS = 500;
// A burst is shown in batches, one per frame, limited by number and by time, so that the page answers keys and clicks in
// between. Messages that come faster than that are skipped and counted.
const BATCH = 80;
const BATCH_MS = 10;
const MAX_WAITING = { held: 2 * MAX_ROWS, shown: MAX_ROWS };
const REPORT_EVERY_MS = 40;
const POINTER_REST_MS = 1200;

/**
 * @typedef {object} RowsCallbacks
 * @property {() => boolean} isHeld whether new rows must wait
 * @property {() => void} onChange the number of rows or of waiting messages changed
 * @property {(count: number) => void} onShown this many new rows were shown
 * @property {(cursor: string) => void} onTrimmed rows older than this cursor were removed
 * @property {(messages: StreamMessage[]) => void} onSkipped these will not be shown
 */

export class Rows {
  /**
   * @param {HTMLTableSectionElement} body
   * @param {RowsCallbacks} callbacks
   */
  constructor(body, callbacks) {
    this.body = body;
    this.callbacks = callbacks;
    /** @type {Map<string, HTMLTableRowElement>} */
    this.byId = new Map(findAll("tr.message", HTMLTableRowElement, body).map((row) => [row.dataset.id ?? "", row]));
    this.waiting = new WaitingMessages();
    /** @type {Set<HTMLTableRowElement>} */
    this.removed = new Set();
    this.skippedCount = 0;
    this.isScheduled = false;
    /** @type {ReturnType<typeof setTimeout> | null} */
    this.reportTimer = null;
    // The pointer may be on the list before this script runs, and then there is no event.
    this.pointerAt = body.matches(":hover") ? performance.now() : -Infinity;
    for (const name of ["pointerenter", "pointermove"]) {
      body.addEventListener(name, () => {
        this.pointerAt = performance.now();
      });
    }
  }

  get count() {
    return this.byId.size;
  }

  /** How many new messages wait, including the skipped ones. Another delivery of a row is not new. */
  get waitingCount() {
    return this.withoutRow(this.waiting.messages).length + this.skippedCount;
  }

  /** The newest row's cursor; empty without rows. */
  get newest() {
    return cursorOf(this.first);
  }

  get first() {
    return asRow(this.body.firstElementChild);
  }

  get last() {
    return asRow(this.body.lastElementChild);
  }

  /** @param {StreamMessage[]} messages */
  withoutRow(messages) {
    return messages.filter(({ id }) => !this.byId.has(id));
  }

  /**
   * Take a message of the stream. Return whether it is new to this page.
   * @param {StreamMessage} message
   */
  add(message) {
    const known = this.waiting.deliveriesOf(message.id) || deliveriesOf(this.byId.get(message.id));
    if (!message.html || known >= message.deliveries || this.isBeyondEnd(message.cursor)) return false;
    this.waiting.put(message);
    this.skipOldest();
    this.reportTimer ??= setTimeout(() => this.report(), REPORT_EVERY_MS);
    this.schedule();
    return known === 0;
  }

  /**
   * Remove a message that the filter rejects since its last delivery. Its row stays while rows are held.
   * @param {GoneEvent} event
   */
  remove({ id, deliveries }) {
    const row = this.byId.get(id);
    if (this.waiting.deliveriesOf(id) < deliveries) this.waiting.delete(id);
    if (row && deliveriesOf(row) < deliveries) this.removed.add(row);
    this.schedule();
    this.callbacks.onChange();
  }

  deleteRemoved() {
    for (const row of this.removed) {
      const { id = "" } = row.dataset;
      if (this.byId.get(id) === row) this.byId.delete(id);
      row.remove();
    }
    this.removed.clear();
  }

  /**
   * Whether a message belongs to an older page, which is not loaded yet. A search may have read beyond its last row.
   * @param {string} cursor
   */
  isBeyondEnd(cursor) {
    const { older } = this.body.dataset;
    return Boolean(older && compareCursors(cursor, older) < 0);
  }

  /** If too many messages wait, only the newest will be shown; a link leads to the others. */
  skipOldest() {
    const max = this.callbacks.isHeld() ? MAX_WAITING.held : MAX_WAITING.shown;
    const skipped = this.withoutRow(this.waiting.dropOldest(max));
    this.skippedCount += skipped.length;
    if (skipped.length) this.callbacks.onSkipped(skipped);
  }

  report() {
    this.reportTimer = null;
    this.callbacks.onChange();
  }

  /** Show what waits in the next frame, or after the pointer has rested. */
  schedule() {
    if (this.isScheduled || !(this.waiting.size || this.removed.size) || this.callbacks.isHeld()) return;
    this.isScheduled = true;
    const restMs = POINTER_REST_MS - (performance.now() - this.pointerAt);
    if (restMs > 0) setTimeout(() => this.reschedule(), restMs);
    else requestAnimationFrame(() => this.showBatch());
  }

  /** Check again whether the pointer rests. */
  reschedule() {
    this.isScheduled = false;
    this.schedule();
  }

  /** Show a batch of what waits, newest first; the next batch follows in the next frame. */
  showBatch() {
    this.isScheduled = false;
    if (this.callbacks.isHeld()) return;
    const deadline = performance.now() + BATCH_MS;
    let newCount = 0;
    this.deleteRemoved();
    for (const message of this.waiting.newestFirst().slice(0, BATCH)) {
      this.waiting.delete(message.id);
      newCount += Number(this.show(message));
      if (performance.now() > deadline) break;
    }
    if (!this.waiting.size) this.skippedCount = 0;
    this.trim();
    if (newCount) this.callbacks.onShown(newCount);
    this.callbacks.onChange();
    this.schedule();
  }

  /**
   * Show a message in its place, or replace its row. Return whether the row is new.
   * @param {StreamMessage} message
   */
  show(message) {
    const row = parseRow(message.html);
    const previous = this.byId.get(message.id);
    if (!row || (!previous && this.isBeyondEnd(message.cursor))) return false;
    this.byId.set(message.id, row);
    if (previous) {
      if (previous.classList.contains("selected")) row.classList.add("selected");
      previous.replaceWith(row);
      return false;
    }
    row.classList.add("fresh");
    this.body.insertBefore(row, this.nextOlder(row));
    return true;
  }

  /** @param {HTMLTableRowElement} row */
  nextOlder(row) {
    const cursor = cursorOf(row);
    for (let other = this.first; other; other = siblingRow(other, 1)) {
      if (compareCursors(cursorOf(other), cursor) <= 0) return other;
    }
    return null;
  }

  /**
   * Append an older page.
   * @param {StreamMessage[]} messages
   */
  append(messages) {
    for (const message of messages) {
      const row = this.byId.has(message.id) ? null : parseRow(message.html);
      if (!row) continue;
      this.byId.set(message.id, row);
      this.body.append(row);
    }
    this.callbacks.onChange();
  }

  /**
   * Add the new ones of these messages, and keep all rows.
   * @param {StreamMessage[]} messages
   */
  merge(messages) {
    for (const message of messages) {
      if (deliveriesOf(this.byId.get(message.id)) < message.deliveries) this.show(message);
    }
    this.trim();
    this.callbacks.onChange();
  }

  /**
   * Replace all rows. Waiting messages stay: they may be newer.
   * @param {StreamMessage[]} messages
   */
  replace(messages) {
    this.body.replaceChildren();
    this.removed.clear();
    this.byId.clear();
    this.append(messages);
  }

  /** Remove the oldest rows if there are too many; they can be loaded again. */
  trim() {
    if (this.byId.size <= MAX_ROWS) return;
    for (let row = this.last; row && this.byId.size > MAX_ROWS; row = this.last) {
      this.byId.delete(row.dataset.id ?? "");
      row.remove();
    }
    this.callbacks.onTrimmed(cursorOf(this.last));
  }
}
