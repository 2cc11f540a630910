// The state of the live feed in the header, and the bar of a session that has ended.

import { query } from "../common/dom.js";
import { minutesText } from "../common/times.js";
import { addressOfList } from "../list/shown_list.js";

/** @typedef {import("../common/types.js").ConnectionState} ConnectionState */

/**
 * @param {ConnectionState} state
 * @param {Date} since
 */
function textOf(state, since) {
  return {
    connecting: "Connecting…",
    live: "Live",
    turns: "Live in turns",
    reconnecting: `Reconnecting since ${minutesText(since)} · not live`,
    "signed-out": "Signed out · not live",
  }[state];
}

/**
 * Show the state. An unchanged text stays: a screen reader would repeat it.
 * @param {ConnectionState} state
 * @param {Date} since
 */
export function showConnection(state, since) {
  const element = query("#connection", HTMLElement);
  const words = query(".words", HTMLElement, element);
  const text = textOf(state, since);
  element.dataset.state = state;
  if (words.textContent !== text) words.textContent = text;
  document.body.classList.toggle("not-live", state === "reconnecting" || state === "signed-out");
}

/** Show once that the session has ended, with a link that returns here after the sign-in. */
export function showSignedOut() {
  if (document.querySelector(".signed-out")) return;
  const bar = document.createElement("p");
  bar.className = "signed-out problem";
  bar.setAttribute("role", "alert");
  const link = document.createElement("a");
  link.href = `/login?next=${encodeURIComponent(addressOfList())}`;
  link.textContent = "Sign in again";
  bar.append("You are signed out; new messages do not appear here. ", link);
  query("#main", HTMLElement).prepend(bar);
}
