// The filter, subscription and columns that the list shows, and its reader, as the server wrote them beside the rows.

import { query } from "../common/dom.js";
import { listAddress } from "../core/filter_text.js";

/** Return the element that holds the rows; its data attributes describe the list. */
export function rowsElement() {
  return query("#rows", HTMLTableSectionElement);
}

/** Return the filter and the subscription shown; empty if there is none. */
export function shownList() {
  const { q = "", subscription = "" } = rowsElement().dataset;
  return { filter: q, subscription };
}

/**
 * Return the address of this list with another filter, or from a cursor on; the columns stay.
 * @param {{ filter?: string, before?: string }} [changes]
 */
export function addressOfList(changes = {}) {
  const { dataset } = rowsElement();
  return listAddress({ ...shownList(), columns: dataset.columns, hasDefault: "hasDefault" in dataset, ...changes });
}

/** Return the name of the user that the server made this page for. */
export function shownReader() {
  return rowsElement().dataset.reader ?? "";
}

/**
 * Return the address of the stream of this list from a cursor on.
 * @param {string} after
 */
export function addressOfStream(after) {
  const { filter, subscription } = shownList();
  const { columns } = rowsElement().dataset;
  const query = new URLSearchParams({ after, reader: shownReader() });
  if (filter) query.set("q", filter);
  if (subscription) query.set("subscription", subscription);
  if (columns) query.set("columns", columns);
  return `/live?${query}`;
}
