// The list: rows ordered by (received_at, id), newest on top, each message once. It never moves under a reader.

import { localize } from "../common/times.js";

export const MOST_ROWS = 500;
// A burst is shown in batches, one a frame, each ended by its count or its time, whichever comes first: keys, clicks and
// the pointer are answered in between. What comes faster than that is skipped, and said to be.
const BATCH = 80;
const BUDGET_MS = 10;
const MOST_WAITING = { held: 2 * MOST_ROWS, shown: MOST_ROWS };
const TELL_EVERY_MS = 40;
const POINTER_REST_MS = 1200;

/** A cursor as something that compares: [microseconds, id]. Microseconds fit into a double until the year 2255. */
function keyOf(cursor) {
  const hyphen = cursor.indexOf("-");
  return [Number(cursor.slice(0, hyphen)), cursor.slice(hyphen + 1)];
}

/** Negative when `a` is older than `b`. */
export function compare(a, b) {
  const [timeA, idA] = keyOf(a);
  const [timeB, idB] = keyOf(b);
  if (timeA !== timeB) return timeA - timeB;
  return idA < idB ? -1 : Number(idA > idB);
}

/** The one row in the server's own, escaped, partial. */
function parse(html) {
  const template = document.createElement("template");
  template.innerHTML = html;
  const row = template.content.querySelector("tr.message");
  if (row) localize(row);
  return row;
}

export class Rows {
  /** `held()` says whether arrivals must wait; `changed()` is called when what waits or is shown changes. */
  constructor(body, { held, changed, arrived, trimmed, skipped }) {
    this.body = body;
    this.held = held;
    this.changed = changed;
    this.arrived = arrived;
    this.trimmed = trimmed;
    this.tellSkipped = skipped;
    this.byId = new Map();
    this.waiting = new Map();
    this.leaving = new Set();
    this.skipped = 0;
    this.scheduled = false;
    this.telling = null;
    this.pointerAt = 0;
    for (const row of body.querySelectorAll("tr.message")) this.byId.set(row.dataset.id, row);
    body.addEventListener("pointermove", () => {
      this.pointerAt = performance.now();
    });
  }

  get count() {
    return this.byId.size;
  }

  /** How many new messages wait, those included that were too many to keep. A row's next delivery is none. */
  get waitingCount() {
    return this.unknown([...this.waiting.values()]).length + this.skipped;
  }

  /** Those that have no row yet. */
  unknown(items) {
    return items.filter((item) => !this.byId.has(item.id));
  }

  /** The cursor of the newest row; empty without rows. */
  get newest() {
    return this.body.firstElementChild?.dataset.cursor ?? "";
  }

  /** Take in one message of the stream; whether it is one that this page did not know. */
  add(item) {
    const row = this.byId.get(item.id);
    const known = this.waiting.get(item.id)?.deliveries ?? Number(row?.dataset.deliveries ?? 0);
    if (!item.html || known >= item.deliveries || this.isBeyond(item)) return false;
    this.waiting.set(item.id, item);
    if (this.waiting.size > MOST_WAITING[this.held() ? "held" : "shown"]) this.forgetOldest();
    this.telling ??= setTimeout(() => this.tell(), TELL_EVERY_MS);
    this.schedule();
    return known === 0;
  }

  /** A message that the filter took until it was delivered again: it leaves, but not under a reader. */
  remove({ id, deliveries }) {
    const row = this.byId.get(id);
    if (this.waiting.get(id)?.deliveries < deliveries) this.waiting.delete(id);
    if (row && Number(row.dataset.deliveries) < deliveries) this.leaving.add(row);
    this.schedule();
    this.changed();
  }

  leave() {
    for (const row of this.leaving) {
      if (this.byId.get(row.dataset.id) === row) this.byId.delete(row.dataset.id);
      row.remove();
    }
    this.leaving.clear();
  }

  /** Older than where paging goes on: it comes with the older pages. A search may have looked further than its last row. */
  isBeyond(item) {
    const { older } = this.body.dataset;
    return Boolean(older && compare(item.cursor, older) < 0);
  }

  /** Only the newest will be shown; the others are a link away. */
  forgetOldest() {
    const newestFirst = this.newestFirst();
    const most = newestFirst.length >> 1;
    const forgotten = newestFirst.slice(most);
    for (const item of forgotten) this.waiting.delete(item.id);
    const unknown = this.unknown(forgotten);
    this.skipped += unknown.length;
    if (unknown.length) this.tellSkipped(unknown);
  }

  newestFirst() {
    return [...this.waiting.values()].sort((a, b) => compare(b.cursor, a.cursor));
  }

  tell() {
    this.telling = null;
    this.changed();
  }

  schedule() {
    if (this.scheduled || !(this.waiting.size || this.leaving.size) || this.held()) return;
    this.scheduled = true;
    const rest = POINTER_REST_MS - (performance.now() - this.pointerAt);
    if (this.pointerAt && rest > 0) setTimeout(() => this.again(), rest);
    else requestAnimationFrame(() => this.flush());
  }

  /** The pointer may have gone on moving. */
  again() {
    this.scheduled = false;
    this.schedule();
  }

  /** Show a batch of what waits, newest first; the next batch comes with the next frame. */
  flush() {
    this.scheduled = false;
    if (this.held()) return;
    const until = performance.now() + BUDGET_MS;
    let fresh = 0;
    this.leave();
    for (const item of this.newestFirst().slice(0, BATCH)) {
      this.waiting.delete(item.id);
      fresh += this.show(item);
      if (performance.now() > until) break;
    }
    if (!this.waiting.size) this.skipped = 0;
    this.trim();
    if (fresh) this.arrived(fresh);
    this.changed();
    this.schedule();
  }

  /** Put one message where it belongs; 1 when it is new, 0 when it replaced its earlier state. */
  show(item) {
    const row = parse(item.html);
    const before = this.byId.get(item.id);
    if (!row || (!before && this.isBeyond(item))) return 0;
    this.byId.set(item.id, row);
    if (before) {
      if (before.classList.contains("selected")) row.classList.add("selected");
      before.replaceWith(row);
      return 0;
    }
    row.classList.add("fresh");
    this.body.insertBefore(row, this.placeOf(row));
    return 1;
  }

  placeOf(row) {
    let next = this.body.firstElementChild;
    while (next && compare(next.dataset.cursor, row.dataset.cursor) > 0) next = next.nextElementSibling;
    return next;
  }

  /** Append an older page. */
  append(items) {
    for (const item of items) {
      if (this.byId.has(item.id)) continue;
      const row = parse(item.html);
      if (!row) continue;
      this.byId.set(item.id, row);
      this.body.append(row);
    }
    this.changed();
  }

  /** Add what is new of these, newest first; all that is here stays. */
  merge(items) {
    for (const item of items) {
      if (Number(this.byId.get(item.id)?.dataset.deliveries ?? 0) < item.deliveries) this.show(item);
    }
    this.trim();
    this.changed();
  }

  /** Start over with the newest page; what waits may be newer still. */
  replace(items) {
    this.body.replaceChildren();
    this.leaving.clear();
    this.byId.clear();
    this.append(items);
  }

  /** Rows at the end go when there are too many; they can be loaded again. */
  trim() {
    if (this.byId.size <= MOST_ROWS) return;
    while (this.byId.size > MOST_ROWS) {
      const last = this.body.lastElementChild;
      this.byId.delete(last.dataset.id);
      last.remove();
    }
    this.trimmed(this.body.lastElementChild.dataset.cursor);
  }
}
