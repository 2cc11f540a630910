// Times as texts, in UTC or local time. No DOM.

/** @typedef {"utc" | "local"} Zone */

const CLOCK_SKEW_SECONDS = 60;
export const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
/** @type {[number, string][]} */
const UNITS = [
  [86400, "day"],
  [3600, "hour"],
  [60, "minute"],
  [1, "second"],
];

/**
 * @param {number} number
 * @param {number} [length]
 */
export const padded = (number, length = 2) => String(number).padStart(length, "0");

/**
 * Return the day ("7 Mar"), the minutes ("09:05") and the rest of the clock (":03.007").
 * @param {Date} date
 * @param {Zone} zone
 */
export function timeTexts(date, zone) {
  // The same instant, shifted so that its UTC fields read as local time.
  const shift = zone === "utc" ? 0 : date.getTimezoneOffset() * 60_000;
  const shifted = new Date(date.getTime() - shift);
  return {
    day: `${shifted.getUTCDate()} ${MONTHS[shifted.getUTCMonth()]}`,
    minutes: `${padded(shifted.getUTCHours())}:${padded(shifted.getUTCMinutes())}`,
    seconds: `:${padded(shifted.getUTCSeconds())}.${padded(shifted.getUTCMilliseconds(), 3)}`,
  };
}

/**
 * Return how long ago a time was: "2 minutes ago", "in 6 days".
 * A time up to a minute ahead is "just now": another machine's clock wrote it.
 * @param {Date} date
 */
export function relativeTime(date, now = Date.now()) {
  const seconds = Math.round((now - date.getTime()) / 1000);
  if (seconds < 1 && seconds > -CLOCK_SKEW_SECONDS) return "just now";
  const distance = Math.abs(seconds);
  const [size, name] = UNITS.find(([unit]) => distance >= unit) ?? [1, "second"];
  const text = countText(Math.floor(distance / size), name);
  return seconds < 0 ? `in ${text}` : `${text} ago`;
}

/**
 * Return a count with its noun: "1 message", "2,000 messages".
 * @param {number} count
 * @param {string} noun
 */
export function countText(count, noun) {
  return `${count.toLocaleString("en")} ${noun}${count === 1 ? "" : "s"}`;
}
