// The slots that the tabs of one browser share: a tab opens its stream only while it holds one. No DOM, no timer.
//
// A browser opens six HTTP/1.1 connections to a host, and a stream keeps one for as long as it is open. The tab in front
// gets a slot at once, the other visible tabs and a hidden one that notifies take turns if there are not enough, and
// each of them catches up at its turn.

import { TabLock } from "./tab_lock.js";

/** @typedef {import("./tab_lock.js").Locks} Locks */

const SLOTS = 3;
const MULTIPLEXED_SLOTS = 20; // HTTP/2 carries all streams of a browser in one connection
export const TURN_MS = 2000;

/**
 * Return how many streams a browser may have open over this protocol (as in PerformanceResourceTiming).
 * @param {string} [protocol]
 */
export function slotCount(protocol = "") {
  return /^h[23]/.test(protocol) ? MULTIPLEXED_SLOTS : SLOTS;
}

/**
 * @typedef {object} SlotCallbacks
 * @property {() => boolean} isHidden whether the tab is hidden
 * @property {() => boolean} staysConnected whether this tab keeps its stream while it is hidden, to notify
 * @property {() => void} onGranted the stream may be opened
 * @property {() => void} onLost the stream must be closed now
 * @property {() => void} onTurns whether this tab takes turns may have changed
 */

export class StreamSlot {
  /**
   * @param {Locks | undefined} locks
   * @param {number} count
   * @param {SlotCallbacks} callbacks
   */
  constructor(locks, count, callbacks) {
    this.callbacks = callbacks;
    const numbers = [...Array(count).keys()];
    this.slots = numbers.map((number) => new TabLock(locks, `subscope-stream-${number}`, () => this.onStolen()));
    // Held by the tab that was shown or focused last.
    this.front = new TabLock(locks, "subscope-front", () => this.onOtherInFront());
    this.isWanted = false;
    this.isBehind = false; // another tab came to the front since this one was shown
    this.isInTurns = false; // this tab waits for a slot, or has got one for a single turn
    this.isSettling = false;
    this.isChanged = false;
    this.checkedAt = 0;
  }

  get held() {
    return this.slots.find((slot) => slot.isHeld);
  }

  get last() {
    return this.slots[this.slots.length - 1];
  }

  get isInFront() {
    return this.front.isHeld && !this.callbacks.isHidden();
  }

  /** A hidden tab that notifies leaves the other slots to visible tabs. */
  get usable() {
    return this.callbacks.isHidden() && this.callbacks.staysConnected() ? [this.last] : this.slots;
  }

  /** Whether this tab may wait for a slot. A hidden one that does not notify takes only a free one. */
  get mayWait() {
    return !this.callbacks.isHidden() || this.callbacks.staysConnected();
  }

  get mayHold() {
    return this.isWanted && (this.mayWait || !this.isBehind);
  }

  /** Ask for a slot. `onGranted` follows, at once if this tab has one. */
  request() {
    this.isWanted = true;
    if (this.held) this.callbacks.onGranted();
    this.settle();
  }

  /** Give the slot back, or stop waiting for one. */
  release() {
    this.isWanted = false;
    this.isInTurns = false;
    for (const slot of this.slots) slot.release();
    this.settle();
  }

  /** The tab was shown or got the focus. */
  async comeToFront() {
    this.isBehind = false;
    if (await this.front.steal()) this.settle();
  }

  /** The page is left: give everything back. */
  leave() {
    this.release();
    this.front.release();
  }

  /** Compare what this tab has with what it may have, until they agree. One comparison at a time. */
  async settle() {
    this.isChanged = true;
    if (this.isSettling) {
      for (const slot of this.slots) if (!slot.isHeld) slot.release(); // ends a wait
      return;
    }
    this.isSettling = true;
    while (this.isChanged) {
      this.isChanged = false;
      await this.settleOnce();
    }
    this.isSettling = false;
  }

  async settleOnce() {
    const { held } = this;
    if (held && !this.mayHold) this.lose();
    else if (held && !this.usable.includes(held)) await this.move(held);
    else if (!held && this.mayHold && (await this.take())) this.onTaken();
  }

  onTaken() {
    if (!this.mayHold) {
      for (const slot of this.slots) slot.release();
      return;
    }
    this.checkedAt = Date.now();
    if (this.isInFront) this.isInTurns = false;
    this.callbacks.onGranted();
  }

  /**
   * Exchange the slot for one that this tab may use. The stream stays open if one is free.
   * @param {TabLock} held
   */
  async move(held) {
    const isFree = await this.last.takeIfFree();
    if (isFree && held.isHeld) held.release();
    else if (!isFree && held.isHeld) this.lose();
  }

  lose() {
    for (const slot of this.slots) slot.release();
    this.callbacks.onLost();
    this.isChanged = true;
  }

  /** Take a free slot, the last one from a tab that is not in front, or the next that another tab gives back. */
  async take() {
    for (const slot of this.usable) if (await slot.takeIfFree()) return true;
    if (this.isChanged) return false;
    if (this.isInFront) return this.last.steal();
    if (!this.mayWait) return false;
    this.isInTurns = true;
    this.callbacks.onTurns();
    return this.waitForAny(this.usable);
  }

  /** @param {TabLock[]} slots */
  async waitForAny(slots) {
    const waits = slots.map(async (slot) => {
      if (!(await slot.wait())) throw new Error("The wait has ended.");
      return slot;
    });
    const granted = await Promise.any(waits).catch(() => null);
    for (const slot of slots) if (slot !== granted) slot.release();
    return Boolean(granted?.isHeld);
  }

  onStolen() {
    this.callbacks.onLost();
    this.settle();
  }

  onOtherInFront() {
    this.isBehind = true;
    this.settle();
  }

  /** Give the slot to a tab that waits for it, at the end of a turn. To be called often. */
  async checkTurn() {
    const { held } = this;
    if (!held || this.isInFront || Date.now() - this.checkedAt < TURN_MS) return;
    this.checkedAt = Date.now();
    const isWaitedFor = await held.isWaitedFor();
    if (!held.isHeld || this.isInFront) return;
    this.isInTurns = isWaitedFor;
    if (isWaitedFor) {
      this.lose();
      this.settle();
    }
    this.callbacks.onTurns();
  }
}
