// A lock that at most one tab of the browser holds (Web Locks). A tab that is closed or crashes loses its locks. No DOM.

/**
 * The part of LockManager that is used here.
 * @typedef {object} Locks
 * @property {(name: string, options: LockOptions, hold: (lock: Lock | null) => unknown) => Promise<unknown>} request
 * @property {() => Promise<{ pending?: { name?: string }[] }>} query
 */
/** @typedef {() => void} Release */

export class TabLock {
  /**
   * Without `locks` (a page over plain http has none) every tab gets its own lock at once.
   * @param {Locks | undefined} locks
   * @param {string} name
   * @param {() => void} [onStolen] another tab took the lock by `steal`
   */
  constructor(locks, name, onStolen = () => {}) {
    this.locks = locks;
    this.name = name;
    this.onStolen = onStolen;
    /** @type {Release | null} */
    this.held = null;
    /** @type {AbortController | null} the current request; a request that is no longer the current one gets nothing */
    this.request = null;
  }

  get isHeld() {
    return this.held !== null;
  }

  /** Take the lock if no tab holds it. Return whether this tab holds it now. */
  takeIfFree() {
    return this.take({ ifAvailable: true });
  }

  /** Take the lock from any tab that holds it. */
  steal() {
    return this.take({ steal: true });
  }

  /** Wait until this tab gets the lock, after those that waited before. Return false if `release` ended the wait. */
  wait() {
    return this.take({});
  }

  /** Release the lock, or stop waiting for it. */
  release() {
    this.request?.abort();
    this.request = null;
    this.held?.();
    this.held = null;
  }

  /** Whether a tab waits for the lock. */
  async isWaitedFor() {
    const state = await this.locks?.query();
    return Boolean(state?.pending?.some(({ name }) => name === this.name));
  }

  /**
   * @param {LockOptions} options
   * @returns {Promise<boolean>}
   */
  take(options) {
    if (this.isHeld) return Promise.resolve(true);
    this.request?.abort();
    const request = new AbortController();
    this.request = request;
    const { locks } = this;
    if (!locks) {
      this.held = () => {};
      return Promise.resolve(true);
    }
    const isWait = !options.steal && !options.ifAvailable; // only such a request may have a signal
    return new Promise((resolve) => {
      /** @type {Release | null} */
      let release = null;
      /** @param {Lock | null} lock */
      const hold = (lock) => {
        const isGranted = lock !== null && this.request === request;
        /** @type {Promise<void>} */
        const end = new Promise((resolveEnd) => {
          release = resolveEnd;
        });
        if (isGranted) this.held = release;
        resolve(isGranted);
        return isGranted ? end : undefined;
      };
      locks.request(this.name, isWait ? { signal: request.signal } : options, hold).catch(() => {
        resolve(false); // aborted while it waited
        if (!release || this.held !== release) return;
        this.held = null;
        this.onStolen();
      });
    });
  }
}
