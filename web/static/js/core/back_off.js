// The wait before a retry. No DOM, no timer.

/** Doubles the wait after each failure, up to a limit. */
export class BackOff {
  /**
   * @param {number} minMs
   * @param {number} maxMs
   */
  constructor(minMs, maxMs) {
    this.minMs = minMs;
    this.maxMs = maxMs;
    this.ms = minMs;
  }

  /** Return the wait before this retry, and double the next one. */
  next() {
    const current = this.ms;
    this.ms = Math.min(current * 2, this.maxMs);
    return current;
  }

  /** Whether no retry has been counted since the last success. */
  get isFresh() {
    return this.ms === this.minMs;
  }

  /** Start again with the shortest wait: a call succeeded. */
  reset() {
    this.ms = this.minMs;
  }
}

/**
 * Vary a wait by a quarter, so that many pages do not reconnect at once.
 * @param {number} ms
 * @param {number} random from 0 to 1
 */
export function withJitter(ms, random = Math.random()) {
  return ms * (0.75 + random / 2);
}
