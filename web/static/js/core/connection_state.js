// The state of the page's connection, and since when it lasts. No DOM.

/** @typedef {import("../common/types.js").ConnectionState} State */
/** @typedef {import("../common/types.js").FeedEvent} FeedEvent */

/**
 * @typedef {object} Connection
 * @property {boolean} isOpen
 * @property {boolean} isWaiting whether another tab has the slot, and nothing has failed
 * @property {boolean} isInTurns whether this tab takes turns with other tabs
 */

export class ConnectionStatus {
  constructor() {
    /** @type {State | ""} */
    this.state = "";
    this.since = new Date();
    this.feedStatus = "connecting";
  }

  /**
   * Take the state of the server's own connection to Firestore.
   * @param {FeedEvent} feed
   */
  onFeed({ status, since }) {
    this.feedStatus = status;
    if (status === "reconnecting" && since) this.since = new Date(since);
  }

  /**
   * The page is live only if both connections are: the page's to the server, and the server's to Firestore.
   * @param {Connection} connection
   * @returns {State}
   */
  stateOf({ isOpen, isWaiting, isInTurns }) {
    if (this.feedStatus === "reconnecting") return "reconnecting";
    if (isInTurns && (isOpen || isWaiting)) return "turns";
    if (isOpen) return this.feedStatus === "live" ? "live" : "connecting";
    return isWaiting ? "connecting" : "reconnecting";
  }

  /** @param {State} state */
  set(state) {
    const isOwnLoss = this.state !== "reconnecting" && this.feedStatus !== "reconnecting";
    if (state === "reconnecting" && isOwnLoss) this.since = new Date();
    this.state = state;
  }
}
