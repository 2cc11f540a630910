// The text of a filter: add a term, or exclude what it matches. No DOM.

// An expression between slashes, as the server reads it: a sign in it tells it from the part of a path.
const EXPRESSION = /\/(?!\s)(?=[^/]*[\\^$.*+?[{(|])(?:[^/\\]|\\[\s\S])+(?<!\s)\/(?=\s|$|\))/.source;
const QUOTES = /"(?:[^"\\]|\\[\s\S])*"?/.source;

/** The words of a filter, as the server splits it: white space ends a word, except in quotes or an expression. */
export const WORDS = new RegExp(`-?\\(*${EXPRESSION}\\)*|(?:${QUOTES}|=~${EXPRESSION}|[^\\s"])+`, "g");

const OPERATORS = ["AND", "OR"];

/**
 * Return by how much a word opens more brackets than it closes. Brackets within a word, such as f(x), are its text.
 * @param {string} word
 * @param {number} depth the brackets that are open before it
 */
function bracketsIn(word, depth) {
  const opened = /^(?:-?\()*/.exec(word)?.[0].replaceAll("-", "").length ?? 0;
  if (!depth && !opened) return 0;
  const rest = word
    .replace(new RegExp(`${QUOTES}|^-?\\(*${EXPRESSION}|=~${EXPRESSION}`, "g"), "")
    .replace(/^[-(]*/, "");
  const closed = (rest.match(/\)/g) ?? []).length - (rest.match(/\(/g) ?? []).length;
  return opened - Math.max(0, closed);
}

/**
 * Split a filter into terms. Words that OR joins are one term, and so is a group in brackets. AND joins nothing: all
 * terms hold anyway.
 * @param {string} filter
 */
export function splitTerms(filter) {
  /** @type {string[]} */
  const terms = [];
  let isJoined = false;
  let depth = 0;
  for (const word of filter.match(WORDS) ?? []) {
    const isOperator = !depth && OPERATORS.includes(word);
    if (depth || isJoined || (isOperator && word === "OR")) terms.push(`${terms.pop() ?? ""} ${word}`.trim());
    else if (!isOperator) terms.push(word);
    isJoined = isOperator && word === "OR";
    if (!isOperator) depth = Math.max(0, depth + bracketsIn(word, depth));
  }
  return terms;
}

/**
 * Add a term and remove its opposite. A filter that has the term stays as it is.
 * @param {string} filter
 * @param {string} term
 */
export function addTerm(filter, term) {
  const opposite = term.startsWith("-") ? term.slice(1) : `-${term}`;
  const terms = splitTerms(filter).filter((other) => other !== opposite);
  if (!terms.includes(term)) terms.push(term);
  return terms.join(" ");
}

/**
 * Return the term that rejects what `term` accepts; a term that already excludes stays as it is.
 * @param {string} term
 */
export function excluding(term) {
  return term.startsWith("-") ? term : `-${term}`;
}

/**
 * @typedef {object} ListOptions
 * @property {string} filter
 * @property {string} subscription empty for all
 * @property {string} [before] a cursor: show what is older
 * @property {string} [columns]
 * @property {boolean} [hasDefault] whether an address without a filter gets the default one
 */

/**
 * Return the address of the list. Empty options are left out.
 * @param {ListOptions} options
 */
export function listAddress({ filter, subscription, before, columns, hasDefault }) {
  const query = new URLSearchParams();
  if (filter) query.set("q", filter);
  if (before) query.set("before", before);
  if (subscription) query.set("subscription", subscription);
  if (columns) query.set("columns", columns);
  if (!query.size && hasDefault) query.set("q", "");
  return query.size ? `/messages?${query}` : "/messages";
}
