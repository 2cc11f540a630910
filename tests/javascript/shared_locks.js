// The Web Locks of one browser, for the tests of tabs: the rules of w3c.github.io/web-locks, in memory.

/** @typedef {{ name: string, hold: (lock: Lock | null) => unknown, reject: (error: Error) => void }} Request */

export class SharedLocks {
  constructor() {
    /** @type {Map<string, Request>} */
    this.held = new Map();
    /** @type {Request[]} */
    this.pending = [];
  }

  /**
   * @param {string} name
   * @param {LockOptions} options
   * @param {(lock: Lock | null) => unknown} hold
   * @returns {Promise<unknown>}
   */
  request(name, options, hold) {
    return new Promise((resolve, reject) => {
      const request = { name, hold, reject };
      options.signal?.addEventListener("abort", () => {
        this.pending = this.pending.filter((other) => other !== request);
        reject(new Error("aborted"));
      });
      queueMicrotask(() => {
        if (options.signal?.aborted) return;
        if (options.steal) this.held.get(name)?.reject(new Error("stolen"));
        if (options.steal || !this.held.has(name)) this.grant(request).then(resolve);
        else if (options.ifAvailable) resolve(hold(null));
        else this.pending.push(request);
      });
    });
  }

  /** @param {Request} request */
  async grant(request) {
    const { name } = request;
    this.held.set(name, request);
    await request.hold({ name, mode: "exclusive" });
    if (this.held.get(name) !== request) return; // stolen
    this.held.delete(name);
    const next = this.pending.find((other) => other.name === name);
    this.pending = this.pending.filter((other) => other !== next);
    if (next) this.grant(next);
  }

  async query() {
    return { held: [], pending: this.pending.map(({ name }) => ({ name })) };
  }
}

/** Let all promises go on that can. */
export function settled() {
  return new Promise((resolve) => setImmediate(resolve));
}
