// A row of the list: its data attributes, its link and its neighbours.

import { find, parseHtml } from "../common/dom.js";
import { localizeTimes } from "../common/times.js";

/** @typedef {HTMLTableRowElement | null | undefined} MaybeRow */

/** @param {MaybeRow} row */
export const cursorOf = (row) => row?.dataset.cursor ?? "";
/** @param {MaybeRow} row */
export const deliveriesOf = (row) => Number(row?.dataset.deliveries ?? 0);

/**
 * Return the row in a message's HTML, which the server escaped; null if it could not be rendered.
 * @param {string} html
 */
export function parseRow(html) {
  const row = find("tr.message", HTMLTableRowElement, parseHtml(html));
  if (row) localizeTimes(row);
  return row;
}

/** @param {Element | null} element */
export function asRow(element) {
  return element instanceof HTMLTableRowElement ? element : null;
}

/**
 * Return the next (1) or the previous (-1) row; null at the end.
 * @param {HTMLTableRowElement} row
 * @param {1 | -1} step
 */
export function siblingRow(row, step) {
  return asRow(step > 0 ? row.nextElementSibling : row.previousElementSibling);
}

/**
 * Return the link of a row to its message.
 * @param {HTMLTableRowElement} row
 */
export function previewLink(row) {
  const link = find("a.preview", HTMLAnchorElement, row);
  if (!link) throw new Error("The row has no link.");
  return link;
}
