// What came faster than this page could show it: how many, and a link to the history of that span. Never a silent gap.

import { compare } from "./rows.js";
import { listAddress } from "./filter_box.js";
import { minutesText } from "../common/times.js";

const SAY_EVERY_MS = 250;

/** A cursor's time, some microseconds later, as the filter language reads it. */
function moment(cursor, later) {
  const micros = Number(cursor.split("-")[0]) + later;
  const parts = new Date(Math.floor(micros / 1000)).toISOString().slice(0, -1);
  return `${parts}${String(micros % 1000).padStart(3, "0")}Z`;
}

const clock = (cursor) => minutesText(new Date(Number(cursor.split("-")[0]) / 1000));

export class Skipped {
  /** `dataset` holds the filter and subscription that are shown. */
  constructor(place, dataset) {
    this.place = place;
    this.dataset = dataset;
    this.link = place.querySelector("a");
    this.timer = null;
    place.querySelector("button").addEventListener("click", () => this.clear());
    this.clear();
  }

  clear() {
    clearTimeout(this.timer);
    this.timer = null;
    this.count = 0;
    this.isExact = true;
    this.oldest = this.newest = "";
    this.place.hidden = true;
  }

  /** These will not be shown as they came. */
  add(items) {
    this.count += items.length;
    for (const { cursor } of items) this.widen(cursor);
    this.soon();
  }

  /** Between two cursors some were not even sent to this page. */
  jumped(from, to) {
    this.isExact = false;
    this.widen(from);
    this.widen(to);
    this.soon();
  }

  widen(cursor) {
    if (!this.oldest || compare(cursor, this.oldest) < 0) this.oldest = cursor;
    if (!this.newest || compare(cursor, this.newest) > 0) this.newest = cursor;
  }

  soon() {
    this.timer ??= setTimeout(() => this.say(), SAY_EVERY_MS);
  }

  say() {
    this.timer = null;
    const { q, subscription } = this.dataset;
    const span = `after:${moment(this.oldest, 0)} before:${moment(this.newest, 1)}`;
    const many = this.isExact ? `${this.count.toLocaleString("en")} skipped` : `Messages skipped since ${clock(this.oldest)}`;
    this.place.querySelector(".words").textContent = many;
    this.link.href = listAddress(`${q} ${span}`.trim(), subscription);
    this.place.hidden = false;
  }
}
