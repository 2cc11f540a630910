// Cursors: a message's place in the list, written "<microseconds since 1970>-<document id>". No DOM.

/** @typedef {string} Cursor */

/**
 * Microseconds fit into a double until the year 2255.
 * @param {Cursor} cursor
 */
function microsecondsOf(cursor) {
  return Number(cursor.slice(0, cursor.indexOf("-")));
}

/**
 * Compare by time, then by id. Negative if `a` is older than `b`.
 * @param {Cursor} a
 * @param {Cursor} b
 */
export function compareCursors(a, b) {
  const difference = microsecondsOf(a) - microsecondsOf(b);
  if (difference) return difference;
  const [idA, idB] = [a, b].map((cursor) => cursor.slice(cursor.indexOf("-") + 1));
  return idA < idB ? -1 : Number(idA > idB);
}

/**
 * Return when the message of a cursor was received, to the millisecond.
 * @param {Cursor} cursor
 */
export function dateOfCursor(cursor) {
  return new Date(Math.floor(microsecondsOf(cursor) / 1000));
}

/**
 * Return a cursor's time, moved by `offset` microseconds, as the filter language reads it.
 * @param {Cursor} cursor
 * @param {number} offset
 */
function filterTime(cursor, offset) {
  const microseconds = microsecondsOf(cursor) + offset;
  const milliseconds = new Date(Math.floor(microseconds / 1000)).toISOString().slice(0, -1);
  return `${milliseconds}${String(microseconds % 1000).padStart(3, "0")}Z`;
}

/**
 * Return the filter terms that accept the messages from `oldest` to `newest`, both included.
 * @param {Cursor} oldest
 * @param {Cursor} newest
 */
export function spanTerms(oldest, newest) {
  return `after:${filterTime(oldest, 0)} before:${filterTime(newest, 1)}`;
}
