// The stream: one EventSource, rebuilt when the browser gave it up, and what can truly be said of it.

import { SignedOutError, get } from "../common/requests.js";

const FIRST_WAIT_MS = 1000;
const LONGEST_WAIT_MS = 30000;
// A browser opens six connections to a host over HTTP/1.1: tabs in the back must not use them up.
const HIDDEN_MS = 60000;
// The server sends something every 15 s: a connection that died without a word is given up after this much silence.
const SILENCE_MS = 40000;
const LISTEN_EVERY_MS = 5000;

export class Live {
  /**
   * `on` has message, which tells whether it was new, gone, delivery, resync(since), caughtUp(count, since) and
   * state(name, since); keeps() says whether a hidden tab stays connected. Names: connecting, live, reconnecting, signed-out.
   */
  constructor(after, { q, subscription, columns }, on) {
    this.after = after;
    this.q = q;
    this.subscription = subscription;
    this.columns = columns;
    this.on = on;
    this.source = null;
    this.timer = null;
    this.letGo = null;
    this.wait = FIRST_WAIT_MS;
    this.since = new Date();
    this.name = "";
    this.feed = "connecting";
    this.heardAt = Date.now();
    this.awaySince = null; // since when this page has no connection of its own, and what it missed meanwhile
    this.missed = 0;
    addEventListener("offline", () => this.lost());
    addEventListener("online", () => this.connect());
    addEventListener("pagehide", () => this.close());
    addEventListener("pageshow", (event) => event.persisted && this.connect());
    document.addEventListener("visibilitychange", () => this.seen());
    setInterval(() => this.listened(), LISTEN_EVERY_MS);
  }

  connect() {
    this.close();
    this.hide(); // a tab may be opened in the back, or come online there
    const query = new URLSearchParams({ after: this.after });
    if (this.q) query.set("q", this.q);
    if (this.subscription) query.set("subscription", this.subscription);
    if (this.columns) query.set("columns", this.columns);
    const source = new EventSource(`/live?${query}`);
    this.source = source;
    this.heardAt = Date.now();
    source.addEventListener("open", () => {
      this.wait = FIRST_WAIT_MS;
      this.say();
    });
    source.addEventListener("error", () => this.failed(source));
    this.listen(source);
  }

  listen(source) {
    for (const name of ["message", "gone", "delivery", "resync", "caughtup", "feed", "pulse"]) {
      source.addEventListener(name, (event) => {
        this.heardAt = Date.now();
        if (event.lastEventId) this.after = event.lastEventId;
      });
    }
    source.addEventListener("message", (event) => {
      if (this.on.message(JSON.parse(event.data)) && this.awaySince) this.missed += 1;
    });
    source.addEventListener("gone", (event) => this.on.gone(JSON.parse(event.data)));
    source.addEventListener("delivery", (event) => this.on.delivery(JSON.parse(event.data)));
    source.addEventListener("resync", () => this.back((since) => this.on.resync(since)));
    source.addEventListener("caughtup", () => this.back((since, missed) => missed && this.on.caughtUp(missed, since)));
    source.addEventListener("feed", (event) => {
      const { status, since } = JSON.parse(event.data);
      this.feed = status;
      if (status === "reconnecting" && since) this.since = new Date(since);
      this.say();
    });
  }

  away() {
    this.awaySince ??= new Date();
  }

  back(tell) {
    const { awaySince, missed } = this;
    this.awaySince = null;
    this.missed = 0;
    tell(awaySince, missed);
  }

  /** Both must hold: this page's connection, and the server's own to Firestore. */
  say() {
    if (this.source?.readyState !== EventSource.OPEN) this.tell("reconnecting");
    else if (this.feed === "reconnecting") this.tell("reconnecting");
    else this.tell(this.feed === "live" ? "live" : "connecting");
  }

  tell(name) {
    if (name === "reconnecting" && this.name === "live" && this.feed !== "reconnecting") this.since = new Date();
    this.name = name;
    this.on.state(name, this.since);
  }

  /** A tab nobody sees lets go of its connection after a while, unless it tells what arrives; seen again, it catches up. */
  hide() {
    clearTimeout(this.letGo);
    if (document.hidden) this.letGo = setTimeout(() => this.on.keeps() || this.lost(), HIDDEN_MS);
  }

  seen() {
    this.hide();
    if (!document.hidden && !this.source && this.name !== "signed-out") this.connect();
  }

  listened() {
    if (!this.source || Date.now() - this.heardAt < SILENCE_MS) return;
    this.lost();
    this.later();
  }

  lost() {
    this.away();
    this.close();
    this.tell("reconnecting");
  }

  failed(source) {
    if (source !== this.source) return;
    this.away();
    this.tell("reconnecting");
    // A browser gives up for good when the answer is no event stream: a 502 of something in between, or our 401.
    if (source.readyState === EventSource.CLOSED) this.later();
  }

  later() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.again(), this.wait * (0.75 + Math.random() / 2));
    this.wait = Math.min(this.wait * 2, LONGEST_WAIT_MS);
  }

  async again() {
    try {
      await get("/session", "application/json");
    } catch (error) {
      if (error instanceof SignedOutError) {
        this.tell("signed-out");
        return;
      }
      this.later();
      return;
    }
    this.connect();
  }

  /** A reloaded list continues from its newest row. */
  continueFrom(cursor) {
    this.after = cursor;
  }

  close() {
    clearTimeout(this.timer);
    this.source?.close();
    this.source = null;
  }
}
