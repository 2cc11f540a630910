// Records when a page began to miss events, and counts the messages that the server has sent since then. No DOM.

export class Absence {
  constructor() {
    /** @type {Date | null} */
    this.since = null;
    /** @type {Date | null} since when another tab has the slot of this one: an absence only if it lasts */
    this.slotLostAt = null;
    this.count = 0;
  }

  get isRunning() {
    return this.since !== null;
  }

  /** The connection was lost, or closed for long. */
  begin() {
    this.since ??= this.slotLostAt ?? new Date();
  }

  onSlotLost() {
    this.slotLostAt ??= new Date();
  }

  /** The connection is open; the messages that were missed follow. */
  onOpen() {
    this.slotLostAt = null;
  }

  onNewMessage() {
    if (this.isRunning) this.count += 1;
  }

  /** Return since when events were missed, and how many the server sent since. Count from zero again. */
  end() {
    const { since, count } = this;
    this.since = null;
    this.count = 0;
    return { since, count };
  }
}
