// Messages that were received and are not shown yet. Bounded: when there are too many, the older half is dropped. No DOM.

import { compareCursors } from "./cursors.js";

/** @typedef {import("../common/types.js").StreamMessage} StreamMessage */

export class WaitingMessages {
  constructor() {
    /** @type {Map<string, StreamMessage>} */
    this.byId = new Map();
  }

  get size() {
    return this.byId.size;
  }

  /**
   * Return how many deliveries of a message are known here; 0 if it does not wait.
   * @param {string} id
   */
  deliveriesOf(id) {
    return this.byId.get(id)?.deliveries ?? 0;
  }

  /** @param {StreamMessage} message */
  put(message) {
    this.byId.set(message.id, message);
  }

  /** @param {string} id */
  delete(id) {
    this.byId.delete(id);
  }

  get messages() {
    return [...this.byId.values()];
  }

  newestFirst() {
    return this.messages.sort((a, b) => compareCursors(b.cursor, a.cursor));
  }

  /**
   * Drop the older half if more than `max` wait; return what was dropped.
   * @param {number} max
   */
  dropOldest(max) {
    if (this.byId.size <= max) return [];
    const messages = this.newestFirst();
    const dropped = messages.slice(messages.length >> 1);
    for (const { id } of dropped) this.byId.delete(id);
    return dropped;
  }
}
