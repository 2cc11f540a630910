// Suggestions for the word at the caret of a filter: names, operators and values of what is loaded. No DOM.

import { SEVERITY_TERMS } from "./facets.js";

/**
 * What is loaded: the values of each attribute and `data.` field, most frequent first, and other lists by their prefix.
 * @typedef {object} Known
 * @property {Map<string, Map<string, number>>} values by name, then how often a value was seen
 * @property {Map<string, string[]>} choices the values of a prefix such as `kind`
 */

/**
 * The word at the caret in parts. Without an operator, `name` is all that was typed.
 * @typedef {object} Part
 * @property {number} start where the part that a suggestion replaces begins
 * @property {number} end
 * @property {string} name
 * @property {string} operator
 * @property {string} value
 */

/**
 * @typedef {object} Suggestion
 * @property {string} text what replaces the word
 * @property {boolean} isOpen whether the word goes on, so that values are suggested next
 */

/** @typedef {(part: Part, known: Known) => Suggestion[]} Source */

const MOST = 8;
const WORD = /^((?:-?\()*-?)((?:"(?:[^"\\]|\\.)*"|[^\s"=~:<>!])*)(=~|[<>!]=|[=~:<>])?(.*)$/s;
// All else is quoted: the server reads some signs and names as those of other languages.
const PLAIN = /^(?:data\.)?[\p{L}\p{N}_][\p{L}\p{N}_/-]*$/u;
const MEASURES = ["size>", "severity>=", "deliveries>", "attempt>", "published>"];
const SEVERITIES = SEVERITY_TERMS.map((term) => term.slice("severity=".length));
const PREFIXES = ["after:", "before:", "has:", "id:", "key:", "kind:", "larger:", "smaller:", "subscription:"];
const OPERATORS = ["OR", "AND", "NOT"];

/**
 * Quote a name or a value where needed.
 * @param {string} text
 */
export function quoted(text) {
  return PLAIN.test(text) && !OPERATORS.includes(text.toUpperCase()) ? text : `"${text.replace(/["\\]/g, "\\$&")}"`;
}

/** @param {string} text */
const unquoted = (text) => text.replace(/^"|"$/g, "").replace(/\\(.)/g, "$1");

/**
 * Return the word around the caret; white space ends it, except in quotes.
 * @param {string} filter
 * @param {number} caret
 * @returns {Part}
 */
export function partAt(filter, caret) {
  let start = 0;
  let isQuoted = false;
  for (let index = 0; index < caret; index += 1) {
    if (filter[index] === '"' && filter[index - 1] !== "\\") isQuoted = !isQuoted;
    else if (!isQuoted && /\s/.test(filter[index] ?? "")) start = index + 1;
  }
  const rest = isQuoted ? "" : (/^[^\s)]*/.exec(filter.slice(caret))?.[0] ?? "");
  const [, signs = "", name = "", operator = "", value = ""] = WORD.exec(filter.slice(start, caret)) ?? [];
  return {
    start: start + signs.length,
    end: caret + rest.length,
    name: unquoted(name),
    operator,
    value: unquoted(value),
  };
}

/**
 * Order texts that contain what was typed: those that begin with it first.
 * @param {Iterable<string>} texts
 * @param {string} typed
 */
function fitting(texts, typed) {
  const wanted = typed.toLowerCase();
  const found = [...texts].filter((text) => text.toLowerCase().includes(wanted));
  const begins = (/** @type {string} */ text) => text.toLowerCase().startsWith(wanted);
  return [...found.filter(begins), ...found.filter((text) => !begins(text))];
}

/** @type {Source} */
function names({ name, operator }, { values }) {
  if (operator || !name) return [];
  return fitting(values.keys(), name).map((text) => ({ text: `${quoted(text)}=`, isOpen: true }));
}

/** @type {Source} */
function prefixes({ name, operator }) {
  if (operator || !name) return [];
  const found = fitting([...PREFIXES, ...MEASURES], name).filter((text) => text.startsWith(name.toLowerCase()));
  return found.map((text) => ({ text, isOpen: true }));
}

/** @type {Source} */
function valuesOf({ name, operator, value }, { values }) {
  const counts = values.get(name);
  if (!counts || !["=", "!=", "~"].includes(operator)) return [];
  const byCount = [...counts].sort((one, other) => other[1] - one[1]).map(([text]) => text);
  return fitting(byCount, value).map((text) => whole(`${quoted(name)}${operator}${quoted(text)}`));
}

/** @type {Source} */
function severities({ name, operator, value }) {
  if (name !== "severity" || !["=", "!=", ">", ">=", "<", "<="].includes(operator)) return [];
  return fitting(SEVERITIES, value).map((text) => whole(`severity${operator}${text}`));
}

/** @type {Source} */
function choicesOf({ name, operator, value }, { choices, values }) {
  if (operator !== ":") return [];
  const prefix = name.toLowerCase();
  const texts = [...(choices.get(prefix) ?? []), ...(prefix === "has" ? values.keys() : [])];
  return fitting(texts, value).map((text) => whole(`${prefix}:${quoted(text)}`));
}

/** @param {string} text */
const whole = (text) => ({ text, isOpen: false });

/** Where suggestions come from, in their order. A further kind of term adds its own source. @type {Source[]} */
export const SOURCES = [names, prefixes, valuesOf, severities, choicesOf];

/**
 * Return the suggestions for a word, each once, without what is typed already.
 * @param {Part} part
 * @param {Known} known
 */
export function suggestions(part, known) {
  const found = SOURCES.flatMap((source) => source(part, known));
  const byText = new Map(found.map((suggestion) => [suggestion.text, suggestion]));
  byText.delete(`${quoted(part.name)}${part.operator}${quoted(part.value)}`);
  return [...byText.values()].slice(0, MOST);
}

/**
 * Return the filter with a suggestion in place of the word, and where the caret stands then.
 * @param {string} filter
 * @param {Part} part
 * @param {Suggestion} suggestion
 */
export function completed(filter, { start, end }, { text, isOpen }) {
  const after = filter.slice(end);
  const gap = isOpen || /^[\s)]/.test(after) ? "" : " ";
  return { filter: filter.slice(0, start) + text + gap + after, caret: start + text.length + gap.length };
}
