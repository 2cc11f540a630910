// The live feed: one EventSource, opened again after the browser gave it up, and the state of the connection.
// It is open only while this tab holds one of the slots that the tabs of a browser share (core/stream_slot.js).

import { getJson, SignedOutError } from "../common/requests.js";
import { Absence } from "../core/absence.js";
import { BackOff, withJitter } from "../core/back_off.js";
import { ConnectionStatus } from "../core/connection_state.js";
import { StreamSlot, slotCount, TURN_MS } from "../core/stream_slot.js";
import { addressOfStream, shownReader } from "../list/shown_list.js";

/** @typedef {import("../common/types.js").ConnectionState} ConnectionState */
/** @typedef {import("../common/types.js").DeliveryEvent} DeliveryEvent */
/** @typedef {import("../common/types.js").GoneEvent} GoneEvent */
/** @typedef {import("../common/types.js").StreamMessage} StreamMessage */

const MIN_WAIT_MS = 1000;
const MAX_WAIT_MS = 30000;
// A tab that is hidden for longer closes its stream, and counts afterwards what it missed.
const HIDDEN_MS = 60000;
// The server sends something every 15 s. After this silence the connection counts as dead.
const MAX_SILENCE_MS = 40000;
const CHECK_SILENCE_EVERY_MS = 5000;
const EVENTS = ["message", "gone", "delivery", "resync", "caughtup", "feed", "pulse"];

/**
 * @typedef {object} StreamCallbacks
 * @property {(message: StreamMessage) => boolean} onMessage returns whether the message was new
 * @property {(event: GoneEvent) => void} onGone
 * @property {(event: DeliveryEvent) => void} onDelivery
 * @property {(since: Date | null) => void} onResync the server cannot send what was missed since then
 * @property {(count: number, since: Date) => void} onCaughtUp the server sent all that was missed since then
 * @property {(state: ConnectionState, since: Date) => void} onState
 * @property {() => boolean} staysConnected whether a hidden tab keeps its connection
 */

function protocolOfPage() {
  const [entry] = performance.getEntriesByType("navigation");
  return entry instanceof PerformanceNavigationTiming ? entry.nextHopProtocol : "";
}

/** @param {MessageEvent<string>} event */
const dataOf = (event) => JSON.parse(event.data);

export class EventStream {
  /**
   * Follow the list from a cursor on.
   * @param {string} after
   * @param {StreamCallbacks} callbacks
   */
  constructor(after, callbacks) {
    this.after = after;
    this.callbacks = callbacks;
    /** @type {EventSource | null} */
    this.source = null;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.retryTimer = undefined;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.hiddenTimer = undefined;
    this.backOff = new BackOff(MIN_WAIT_MS, MAX_WAIT_MS);
    this.status = new ConnectionStatus();
    this.absence = new Absence();
    this.receivedAt = Date.now();
    this.slot = new StreamSlot(navigator.locks, slotCount(protocolOfPage()), {
      isHidden: () => document.hidden,
      staysConnected: () => callbacks.staysConnected(),
      onGranted: () => this.open(),
      onLost: () => this.onSlotLost(),
      onTurns: () => this.updateState(),
    });
  }

  start() {
    addEventListener("offline", () => this.disconnect());
    addEventListener("online", () => this.connect());
    addEventListener("pagehide", () => this.leave());
    addEventListener("pageshow", (event) => event.persisted && this.onShown());
    addEventListener("focus", () => this.slot.comeToFront());
    document.addEventListener("visibilitychange", () => this.onVisibility());
    setInterval(() => this.checkSilence(), CHECK_SILENCE_EVERY_MS);
    setInterval(() => this.slot.checkTurn(), TURN_MS);
    if (!document.hidden) this.slot.comeToFront();
    this.connect();
  }

  leave() {
    this.close();
    this.slot.leave();
  }

  /** Connect as soon as this tab has a slot. */
  connect() {
    this.close();
    this.scheduleRelease(); // a tab can be opened, or come online, while it is hidden
    this.slot.request();
  }

  open() {
    this.close();
    const source = new EventSource(addressOfStream(this.after));
    this.source = source;
    this.receivedAt = Date.now();
    source.addEventListener("open", () => {
      this.backOff.reset();
      this.absence.onOpen();
      this.updateState();
    });
    source.addEventListener("error", () => this.onError(source));
    this.listen(source);
  }

  /** @param {EventSource} source */
  listen(source) {
    const { callbacks } = this;
    for (const name of EVENTS) {
      source.addEventListener(name, (event) => {
        this.receivedAt = Date.now();
        if (event.lastEventId) this.after = event.lastEventId;
        this.slot.checkTurn(); // a browser slows the timers of hidden tabs down
      });
    }
    source.addEventListener("message", (event) => {
      if (callbacks.onMessage(dataOf(event))) this.absence.onNewMessage();
    });
    source.addEventListener("gone", (event) => callbacks.onGone(dataOf(event)));
    source.addEventListener("delivery", (event) => callbacks.onDelivery(dataOf(event)));
    source.addEventListener("resync", () => callbacks.onResync(this.absence.end().since));
    source.addEventListener("caughtup", () => {
      const { since, count } = this.absence.end();
      if (since && count) callbacks.onCaughtUp(count, since);
    });
    source.addEventListener("feed", (event) => {
      this.status.onFeed(dataOf(event));
      this.updateState();
    });
  }

  updateState() {
    const { slot } = this;
    const isOpen = this.source?.readyState === EventSource.OPEN;
    const isWaiting = !slot.held && !this.absence.isRunning;
    this.setState(this.status.stateOf({ isOpen, isWaiting, isInTurns: slot.isInTurns }));
  }

  /** @param {ConnectionState} state */
  setState(state) {
    this.status.set(state);
    this.callbacks.onState(state, this.status.since);
  }

  get isSignedOut() {
    return this.status.state === "signed-out";
  }

  /** Close the connection of a tab that stays hidden, unless it must notify. A visible tab catches up. */
  scheduleRelease() {
    clearTimeout(this.hiddenTimer);
    if (!document.hidden) return;
    this.hiddenTimer = setTimeout(() => this.onLongHidden(), HIDDEN_MS);
  }

  onLongHidden() {
    if (!this.isSignedOut && !this.callbacks.staysConnected()) this.disconnect();
  }

  onVisibility() {
    this.scheduleRelease();
    if (document.hidden) this.slot.settle();
    else this.onShown();
  }

  onShown() {
    if (!document.hidden) this.slot.comeToFront();
    if (!this.source && !this.isSignedOut) this.connect();
  }

  /** Whether a hidden tab stays connected may have changed. */
  onDuty() {
    if (!document.hidden || this.isSignedOut) return;
    if (this.callbacks.staysConnected() && !this.slot.isWanted) this.connect();
    else this.slot.settle();
  }

  onSlotLost() {
    this.absence.onSlotLost();
    this.close();
    this.updateState();
  }

  checkSilence() {
    if (!this.source || Date.now() - this.receivedAt < MAX_SILENCE_MS) return;
    this.disconnect();
    this.scheduleRetry();
  }

  disconnect() {
    this.absence.begin();
    this.close();
    this.slot.release();
    this.setState("reconnecting");
  }

  /** @param {EventSource} source */
  onError(source) {
    if (source !== this.source) return;
    this.absence.begin();
    this.setState("reconnecting");
    // The browser stops retrying if the answer is no event stream: a proxy's 502, or our 401.
    if (source.readyState === EventSource.CLOSED) this.scheduleRetry();
  }

  scheduleRetry() {
    clearTimeout(this.retryTimer);
    this.retryTimer = setTimeout(() => this.retry(), withJitter(this.backOff.next()));
  }

  /** Connect again. An EventSource does not report a 401, so ask for the session first. */
  async retry() {
    try {
      /** @type {{ user: string }} */
      const { user } = await getJson("/session");
      if (user !== shownReader()) this.onSignedOut();
      else this.connect();
    } catch (error) {
      if (error instanceof SignedOutError) this.onSignedOut();
      else this.scheduleRetry();
    }
  }

  /** The session has ended, or it is another user's now: this page gets nothing more. */
  onSignedOut() {
    this.close();
    this.slot.release();
    this.setState("signed-out");
  }

  /**
   * Continue from the newest row of a reloaded list at the next connection.
   * @param {string} cursor
   */
  continueFrom(cursor) {
    this.after = cursor;
  }

  close() {
    clearTimeout(this.retryTimer);
    this.source?.close();
    this.source = null;
  }
}
