// Which tab notifies of the messages of a list: the one that was shown last, or else one of the hidden tabs. And when:
// the tabs of a browser notify one after the other, at most one every few seconds.

import { TabLock } from "../core/tab_lock.js";

export const NOTIFY_EVERY_MS = 5000;

export class NotificationDuty {
  /**
   * @param {string} list the same for tabs that show the same list
   * @param {{ onChange: () => void, onNamed: (ids: string[]) => void }} callbacks
   */
  constructor(list, { onChange, onNamed }) {
    this.onChange = onChange;
    this.onNamed = onNamed;
    this.lock = new TabLock(navigator.locks, `subscope-notifies ${list}`, () => this.onStolen());
    this.turn = new TabLock(navigator.locks, "subscope-notification");
    /** @type {BroadcastChannel | null} */
    this.channel = null;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.turnTimer = undefined;
  }

  start() {
    addEventListener("pagehide", () => this.leave());
    addEventListener("pageshow", (event) => event.persisted && this.join());
    addEventListener("focus", () => this.take(true));
    document.addEventListener("visibilitychange", () => document.hidden || this.take(true));
    this.join();
  }

  join() {
    this.channel = new BroadcastChannel("subscope-notification");
    this.channel.addEventListener("message", ({ data }) => this.onNamed(data));
    this.take(!document.hidden);
  }

  leave() {
    this.channel?.close();
    this.lock.release();
    this.endTurn();
  }

  get isHeld() {
    return this.lock.isHeld;
  }

  onStolen() {
    this.onChange();
    this.take();
  }

  async take(isShown = false) {
    const isTaken = await (isShown ? this.lock.steal() : this.lock.wait());
    if (isTaken) this.onChange();
  }

  /** Wait until no other tab has notified for some seconds. Return false if `endTurn` ended the wait. */
  takeTurn() {
    this.endTurn();
    return this.turn.wait();
  }

  /**
   * Tell the other tabs which messages this one has named. While it keeps the turn, they hear of it.
   * @param {string[]} ids
   */
  announce(ids) {
    this.channel?.postMessage(ids);
    this.turnTimer = setTimeout(() => this.endTurn(), NOTIFY_EVERY_MS);
  }

  endTurn() {
    clearTimeout(this.turnTimer);
    this.turn.release();
  }
}
