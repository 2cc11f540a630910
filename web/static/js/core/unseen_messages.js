// The new messages of a list that is out of view, for its notification: each message is named by one tab only. No DOM.

import { countText } from "./time_text.js";

/** @typedef {import("../common/types.js").StreamMessage} StreamMessage */

const MAX_NAMES = 3;
// Beyond that, the oldest are counted without a look at other tabs; and the oldest ids of other tabs are forgotten.
const MAX_WAITING = 500;
const MAX_ELSEWHERE = 5000;

export class UnseenMessages {
  constructor() {
    /** @type {Set<string>} ids that other tabs have named */
    this.elsewhere = new Set();
    /** @type {Map<string, StreamMessage>} not yet named */
    this.waiting = new Map();
    /** @type {Set<string>} */
    this.subscriptions = new Set();
    this.count = 0; // named, or too many to wait
    this.isExact = true;
    this.hasUncounted = false; // news beside what waits
  }

  /** The list is in view: count from zero. */
  clear() {
    this.waiting.clear();
    this.subscriptions.clear();
    this.count = 0;
    this.isExact = true;
    this.hasUncounted = false;
  }

  /** @param {StreamMessage} message */
  add(message) {
    if (this.elsewhere.has(message.id)) return;
    this.waiting.set(message.id, message);
    if (this.waiting.size <= MAX_WAITING) return;
    const [oldest] = this.waiting.values();
    this.take(oldest);
    this.hasUncounted = true;
  }

  /** More messages arrived than the stream could send. */
  addUncounted() {
    this.isExact = false;
    this.hasUncounted = true;
  }

  /**
   * Another tab has named these messages.
   * @param {string[]} ids
   */
  onNamedElsewhere(ids) {
    for (const id of ids) {
      this.waiting.delete(id);
      this.elsewhere.add(id);
    }
    for (const id of this.elsewhere) {
      if (this.elsewhere.size <= MAX_ELSEWHERE) break;
      this.elsewhere.delete(id);
    }
  }

  get hasNews() {
    return this.waiting.size > 0 || this.hasUncounted;
  }

  /** Return the text for all messages since `clear`, and the ids that it names for the first time. */
  name() {
    const messages = [...this.waiting.values()];
    for (const message of messages) this.take(message);
    this.hasUncounted = false;
    const names = [...this.subscriptions];
    return {
      title: this.isExact ? countText(this.count, "new message") : "Many new messages",
      subscriptions: names.slice(0, MAX_NAMES).join(", ") + (names.length > MAX_NAMES ? ", …" : ""),
      newest: messages.at(-1) ?? null,
      ids: messages.map(({ id }) => id),
    };
  }

  /** @param {StreamMessage} message */
  take(message) {
    this.waiting.delete(message.id);
    this.subscriptions.add(message.subscription);
    this.count += 1;
  }
}
