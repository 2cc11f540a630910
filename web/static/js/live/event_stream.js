// The live feed: one EventSource, opened again after the browser gave it up, and the state of the connection.

import { get, SignedOutError } from "../common/requests.js";
import { BackOff, withJitter } from "../core/back_off.js";
import { shownList } from "../list/shown_list.js";

/** @typedef {import("../common/types.js").ConnectionState} ConnectionState */
/** @typedef {import("../common/types.js").DeliveryEvent} DeliveryEvent */
/** @typedef {import("../common/types.js").FeedEvent} FeedEvent */
/** @typedef {import("../common/types.js").GoneEvent} GoneEvent */
/** @typedef {import("../common/types.js").StreamMessage} StreamMessage */

const MIN_WAIT_MS = 1000;
const MAX_WAIT_MS = 30000;
// A browser opens at most six HTTP/1.1 connections to a host: hidden tabs must not use them up.
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

/** @param {MessageEvent<string>} event */
const dataOf = (event) => JSON.parse(event.data);

export class EventStream {
  /**
   * Follow the list from a cursor on.
   * @param {string} after
   * @param {string | undefined} columns
   * @param {StreamCallbacks} callbacks
   */
  constructor(after, columns, callbacks) {
    this.after = after;
    this.columns = columns;
    this.callbacks = callbacks;
    /** @type {EventSource | null} */
    this.source = null;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.retryTimer = undefined;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.hiddenTimer = undefined;
    this.backOff = new BackOff(MIN_WAIT_MS, MAX_WAIT_MS);
    /** @type {ConnectionState | ""} */
    this.state = "";
    this.stateSince = new Date();
    this.feedStatus = "connecting";
    this.receivedAt = Date.now();
    // Since when this page missed events, and how many of them the server sent since.
    /** @type {Date | null} */
    this.disconnectedAt = null;
    this.missedCount = 0;
  }

  start() {
    addEventListener("offline", () => this.disconnect());
    addEventListener("online", () => this.connect());
    addEventListener("pagehide", () => this.close());
    addEventListener("pageshow", (event) => event.persisted && this.connect());
    document.addEventListener("visibilitychange", () => this.onVisibility());
    setInterval(() => this.checkSilence(), CHECK_SILENCE_EVERY_MS);
    this.connect();
  }

  connect() {
    this.close();
    this.scheduleRelease(); // a tab can be opened, or come online, while it is hidden
    const { filter, subscription } = shownList();
    const query = new URLSearchParams({ after: this.after });
    if (filter) query.set("q", filter);
    if (subscription) query.set("subscription", subscription);
    if (this.columns) query.set("columns", this.columns);
    const source = new EventSource(`/live?${query}`);
    this.source = source;
    this.receivedAt = Date.now();
    source.addEventListener("open", () => {
      this.backOff.reset();
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
      });
    }
    source.addEventListener("message", (event) => {
      if (callbacks.onMessage(dataOf(event)) && this.disconnectedAt) this.missedCount += 1;
    });
    source.addEventListener("gone", (event) => callbacks.onGone(dataOf(event)));
    source.addEventListener("delivery", (event) => callbacks.onDelivery(dataOf(event)));
    source.addEventListener("resync", () => callbacks.onResync(this.endGap().since));
    source.addEventListener("caughtup", () => {
      const { since, count } = this.endGap();
      if (since && count) callbacks.onCaughtUp(count, since);
    });
    source.addEventListener("feed", (event) => this.onFeed(dataOf(event)));
  }

  /** Return since when events were missed, and how many the server sent since. Count from zero again. */
  endGap() {
    const gap = { since: this.disconnectedAt, count: this.missedCount };
    this.disconnectedAt = null;
    this.missedCount = 0;
    return gap;
  }

  /** @param {FeedEvent} feed */
  onFeed({ status, since }) {
    this.feedStatus = status;
    if (status === "reconnecting" && since) this.stateSince = new Date(since);
    this.updateState();
  }

  /** The page is live only if both connections are: the page's to the server, and the server's to Firestore. */
  updateState() {
    const isOpen = this.source?.readyState === EventSource.OPEN;
    if (!isOpen || this.feedStatus === "reconnecting") this.setState("reconnecting");
    else this.setState(this.feedStatus === "live" ? "live" : "connecting");
  }

  /** @param {ConnectionState} state */
  setState(state) {
    const isOwnLoss = this.state === "live" && this.feedStatus !== "reconnecting";
    if (state === "reconnecting" && isOwnLoss) this.stateSince = new Date();
    this.state = state;
    this.callbacks.onState(state, this.stateSince);
  }

  /** Close the connection of a tab that stays hidden, unless it must notify. A visible tab catches up. */
  scheduleRelease() {
    clearTimeout(this.hiddenTimer);
    if (!document.hidden) return;
    this.hiddenTimer = setTimeout(() => this.callbacks.staysConnected() || this.disconnect(), HIDDEN_MS);
  }

  onVisibility() {
    this.scheduleRelease();
    if (!document.hidden && !this.source && this.state !== "signed-out") this.connect();
  }

  checkSilence() {
    if (!this.source || Date.now() - this.receivedAt < MAX_SILENCE_MS) return;
    this.disconnect();
    this.scheduleRetry();
  }

  disconnect() {
    this.disconnectedAt ??= new Date();
    this.close();
    this.setState("reconnecting");
  }

  /** @param {EventSource} source */
  onError(source) {
    if (source !== this.source) return;
    this.disconnectedAt ??= new Date();
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
      await get("/session", "application/json");
    } catch (error) {
      if (error instanceof SignedOutError) this.setState("signed-out");
      else this.scheduleRetry();
      return;
    }
    this.connect();
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
