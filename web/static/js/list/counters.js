// The numbers of the list page: rows shown, new messages that wait, messages not seen yet (in the title).

import { find, query } from "../common/dom.js";
import { countText } from "../core/time_text.js";

const TITLE = document.title;

/**
 * @typedef {object} Counts
 * @property {number} rows
 * @property {number} waiting new messages that wait while the list is held
 * @property {number} unseen
 * @property {boolean} isUncounted whether more wait than the stream could send
 * @property {boolean} isHeld
 * @property {boolean} isPaused
 */

/** @param {Counts} counts */
export function showCounts({ rows, waiting, unseen, isUncounted, isHeld, isPaused }) {
  query("#shown", HTMLElement).textContent = rows.toLocaleString("en");
  query("#empty", HTMLElement).hidden = rows > 0 || find("#q-problem", HTMLElement) !== null;
  document.title = unseen ? `(${unseen}) ${TITLE}` : TITLE;
  const button = find("#arrivals", HTMLButtonElement);
  if (!button) return;
  const text = isUncounted ? "Many new messages" : countText(waiting, "new message");
  button.hidden = !(isHeld && (waiting || isUncounted));
  button.textContent = isPaused ? `${text} while paused` : `↑ ${text}`;
}
