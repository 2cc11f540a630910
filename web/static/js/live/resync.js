// Reads the newest messages again when the stream could not send all of them, but never while the list is held.

/** @typedef {import("../common/types.js").ListPageData & { isWhole: boolean }} ReloadedPage */

const RETRY_MS = 5_000;

/**
 * @typedef {object} ResyncCallbacks
 * @property {() => boolean} isHeld whether the list must not change
 * @property {() => string} newest the newest row's cursor; empty without rows
 * @property {(from: string) => Promise<ReloadedPage>} reload
 * @property {() => void} onPostponed the list must be read again, but is held
 * @property {(page: ReloadedPage, from: string, since: Date | null) => void} onReloaded
 * @property {() => void} onFinished the rows can be shown that waited for the answer
 * @property {(error: unknown) => void} onError
 */

export class Resync {
  /** @param {ResyncCallbacks} callbacks */
  constructor(callbacks) {
    this.callbacks = callbacks;
    this.isNeeded = false;
    this.isRunning = false;
    /** @type {Date | null} */
    this.since = null; // since when the page was disconnected
  }

  /**
   * Read the newest messages, now or when the list is not held any longer.
   * @param {Date | null} since
   */
  async request(since) {
    const { callbacks } = this;
    this.since = since;
    this.isNeeded = callbacks.isHeld() || this.isRunning;
    if (this.isNeeded) {
      callbacks.onPostponed();
      return;
    }
    const from = callbacks.newest();
    this.isRunning = true; // new messages wait: the answer may lack them
    try {
      const page = await callbacks.reload(from);
      this.since = null;
      callbacks.onReloaded(page, from, since);
    } catch (error) {
      callbacks.onError(error);
      this.isNeeded = true;
      setTimeout(() => callbacks.onFinished(), RETRY_MS);
      return;
    } finally {
      this.isRunning = false;
    }
    callbacks.onFinished();
  }

  /** Start a postponed reload if the list is not held. Return whether it started. */
  resume() {
    if (!this.isNeeded || this.isRunning || this.callbacks.isHeld()) return false;
    this.request(this.since);
    return true;
  }
}
