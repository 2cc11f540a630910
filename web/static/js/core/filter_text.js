// The text of a filter: add a term, or exclude what it matches. No DOM.

/** The words of a filter, as the server splits it: white space ends a word, except between quotes. */
export const WORDS = /(?:"(?:[^"\\]|\\[\s\S])*"?|[^\s"])+/g;

/**
 * Split a filter into terms. Words that OR joins are one term.
 * @param {string} filter
 */
export function splitTerms(filter) {
  /** @type {string[]} */
  const terms = [];
  let isJoined = false;
  for (const word of filter.match(WORDS) ?? []) {
    if (word === "OR" || isJoined) terms.push(`${terms.pop() ?? ""} ${word}`.trim());
    else terms.push(word);
    isJoined = word === "OR";
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
