// Times in a filter that a person typed in local time: write their offset out, because an address is read as UTC. No DOM.

import { WORDS } from "./filter_text.js";
import { MONTHS, padded } from "./time_text.js";

const SIGNS = String.raw`(?:-?\()*-?`;
const NAME = String.raw`(?:"(?:[^"\\]|\\.)*"|[^\s"=~:<>!])+`;
// A time after after: or before:, or in a comparison; brackets of groups may be around the term.
const TERM = new RegExp(`^(${SIGNS}(?:(?:after|before):|${NAME}[<>]=?))(.+?)(\\)*)$`, "is");
const RANGE = new RegExp(`^(${SIGNS}${NAME}:)(.*?)\\.\\.(.*?)(\\)*)$`, "s");
const ISO = /^(\d{4})-(\d\d)-(\d\d)(?:[T ](\d{1,2}):(\d\d)(?::(\d\d)([.,]\d{1,9})?)?)?$/;
const WORDED = /^(?:[a-z]{3},? )?(\d{1,2}) ([a-z]{3})(?: (\d{4}))?,? (\d{1,2}):(\d\d)(?::(\d\d)(\.\d{1,9})?)?$/i;
const DAY_MS = 86_400_000;

/**
 * Return `filter` with the local offset in every time without a zone, except in the words of `unchanged`.
 * @param {string} filter
 * @param {string} unchanged a filter of an address: its times without a zone are UTC
 */
export function withOffsets(filter, unchanged = "", now = Date.now()) {
  const kept = new Set(unchanged.match(WORDS) ?? []);
  return filter.replace(WORDS, (word) => (kept.has(word) ? word : zonedTerm(word, now)));
}

/**
 * @param {string} word
 * @param {number} now
 */
function zonedTerm(word, now) {
  const [, name, typed = "", end = ""] = TERM.exec(word) ?? [];
  if (name) {
    const zoned = zonedTime(typed.replace(/^"([^"\\]*)"$/, "$1"), now);
    return zoned ? name + zoned + end : word;
  }
  const [, of, low = "", high = "", close = ""] = RANGE.exec(word) ?? [];
  return of ? `${of}${zonedTime(low, now) || low}..${zonedTime(high, now) || high}${close}` : word;
}

/**
 * Return a local time as ISO 8601 with its offset; empty for any other text, which the server judges.
 * @param {string} text
 * @param {number} now
 */
function zonedTime(text, now) {
  const iso = ISO.exec(text);
  if (iso) {
    const [, year, month, day, hours = "00", minutes = "00", seconds = "00", fraction = ""] = iso;
    return localTime(Number(year), Number(month) - 1, Number(day), hours, minutes, seconds, fraction);
  }
  const worded = WORDED.exec(text);
  if (!worded) return "";
  const [, day, name, year, hours = "", minutes = "", seconds = "00", fraction = ""] = worded;
  const month = MONTHS.findIndex((other) => other.toLowerCase() === name?.toLowerCase());
  if (month < 0) return "";
  const inYear = (/** @type {number} */ some) => localTime(some, month, Number(day), hours, minutes, seconds, fraction);
  if (year) return inYear(Number(year));
  const last = new Date(now).getFullYear() + 1;
  // The 29th of February comes every eighth year at the latest.
  const found = Array.from({ length: 10 }, (_, back) => inYear(last - back));
  return found.find((time) => time && Date.parse(time) <= now + DAY_MS) ?? "";
}

/**
 * @param {number} year
 * @param {number} month from 0
 * @param {number} day
 * @param {string} hours
 * @param {string} minutes
 * @param {string} seconds
 * @param {string} fraction with its point
 */
function localTime(year, month, day, hours, minutes, seconds, fraction) {
  const date = new Date(year, month, day, Number(hours), Number(minutes), Number(seconds));
  const exists = date.getMonth() === month && date.getDate() === day && Number(hours) < 24;
  if (!exists || Number(minutes) > 59 || Number(seconds) > 59) return "";
  const offset = -date.getTimezoneOffset();
  const sign = offset < 0 ? "-" : "+";
  const zone = `${padded(Math.trunc(Math.abs(offset) / 60))}:${padded(Math.abs(offset) % 60)}`;
  const clock = `${hours.padStart(2, "0")}:${minutes}:${seconds}${fraction.replace(",", ".")}`;
  return `${padded(year, 4)}-${padded(month + 1)}-${padded(day)}T${clock}${sign}${zone}`;
}
