// Facets: the fields that repeat among rows, with the number of rows for each value. No DOM.

// What the server derives; the same as in web/facets/terms.py.
/** @type {Record<string, string>} */
const DERIVED = { ":severity": "severity=", ":kind": "kind:", ":subscription": "subscription:" };
export const SEVERITY_TERMS = ["EMERGENCY", "ALERT", "CRITICAL", "ERROR", "WARNING", "NOTICE", "INFO", "DEBUG"].map(
  (level) => `severity=${level}`,
);
const MAX_FACETS = 24;
const MAX_VALUES = 8;
// Fields that mostly differ from row to row are identifiers, times or texts, and no group of rows.
const MAX_DISTINCT_SHARE = 0.5;
// Values that look like identifiers are recognised sooner: in a small list few of them repeat by chance.
const MAX_IDENTIFIER_SHARE = 0.2;
const IDENTIFIER = /^(?:[0-9a-f]{8}-[0-9a-f-]{27}|[0-9a-f]{12,}|\d{6,}|\d{4}-\d\d-\d\d[T ].*|(?=.*\d)[\w-]{20,})$/i;
const LOOKED_AT = 40;

/**
 * @typedef {object} FacetValue
 * @property {string} value
 * @property {string} term the term of the filter that selects the rows with this value
 * @property {number} count
 * @property {number} share of all rows, from 0 to 1
 */
/**
 * @typedef {object} Facet
 * @property {string} name as the server groups by it
 * @property {string} label
 * @property {number} count the number of rows that have the field
 * @property {number} distinct the number of its values
 * @property {FacetValue[]} values the most frequent ones
 */
/** @typedef {{ count: number, values: Map<string, { count: number, term: string }> }} Field */

/**
 * Count the fields of rows. Each row is the text that web/facets/row_facets.py writes.
 * @param {Iterable<string>} rows
 * @returns {Facet[]}
 */
export function facetsOf(rows) {
  const { lines, total } = countLines(rows);
  /** @type {Map<string, Field>} */
  const fields = new Map();
  for (const [line, { count }] of lines) addLine(fields, line, count);
  return [...fields]
    .filter(([name, field]) => isOffered(name, field, fields))
    .sort(compareFields)
    .slice(0, MAX_FACETS)
    .map(([name, field]) => ({
      name,
      label: name in DERIVED ? name.slice(1) : name,
      count: field.count,
      distinct: field.values.size,
      values: mostFrequent(name, field, total),
    }));
}

/**
 * Add the severities that no row has, but other messages: a rare failure is seldom among the newest rows.
 * @param {Facet[]} facets
 * @param {(term: string) => boolean} isKept whether a message with this term is kept
 * @returns {Facet[]}
 */
export function withSeverities(facets, isKept) {
  const name = ":severity";
  const found = facets.find((facet) => facet.name === name);
  const known = new Set(found?.values.map(({ term }) => term));
  const values = SEVERITY_TERMS.filter((term) => !known.has(term) && isKept(term)).map((term) => ({
    value: term.split("=")[1] ?? "",
    term,
    count: 0,
    share: 0,
  }));
  if (!values.length) return facets;
  const severity = found ?? { name, label: "severity", count: 0, distinct: 0, values: [] };
  const all = [...severity.values, ...values];
  return [{ ...severity, distinct: all.length, values: all }, ...facets.filter((facet) => facet !== found)];
}

/**
 * Count equal lines first: values that repeat are then taken apart once.
 * @param {Iterable<string>} rows
 */
function countLines(rows) {
  /** @type {Map<string, { count: number }>} */
  const lines = new Map();
  let total = 0;
  for (const row of rows) {
    total += 1;
    if (!row) continue;
    for (const line of row.split("\n")) {
      const counted = lines.get(line);
      if (counted) counted.count += 1;
      else lines.set(line, { count: 1 });
    }
  }
  return { lines, total };
}

/**
 * @param {Map<string, Field>} fields
 * @param {string} line
 * @param {number} count
 */
function addLine(fields, line, count) {
  const [name = "", value = "", term = ""] = line.split("\t");
  const field = fields.get(name) ?? { count: 0, values: new Map() };
  fields.set(name, field);
  field.count += count;
  field.values.set(value, { count, term });
}

/**
 * Whether a click on a value would leave a useful part of the rows.
 * @param {string} name
 * @param {Field} field
 * @param {Map<string, Field>} fields
 */
function isOffered(name, { count, values }, fields) {
  if (name in DERIVED) return values.size > 1 || name === ":severity";
  // The derived one has the same values, and those of other fields.
  if (name === "severity" && fields.has(":severity")) return false;
  if (count < 2 || values.size > count * MAX_DISTINCT_SHARE) return false;
  // Each subscription of a topic has a copy of each message.
  const copies = fields.get(":subscription")?.values.size ?? 1;
  if (copies > 1 && Math.max(...[...values.values()].map((one) => one.count)) <= copies) return false;
  return values.size <= count * MAX_IDENTIFIER_SHARE || !areIdentifiers(values);
}

/** @param {Field["values"]} values */
function areIdentifiers(values) {
  const some = [...values.keys()].slice(0, LOOKED_AT);
  return some.filter((value) => IDENTIFIER.test(value)).length > some.length / 2;
}

/**
 * Derived fields first, then those that most rows have, and of these the ones with few values.
 * @param {[string, Field]} first
 * @param {[string, Field]} second
 */
function compareFields([name, one], [otherName, other]) {
  const rank = (/** @type {string} */ some) => (some in DERIVED ? Object.keys(DERIVED).indexOf(some) : MAX_FACETS);
  return (
    rank(name) - rank(otherName) ||
    other.count - one.count ||
    one.values.size - other.values.size ||
    (name < otherName ? -1 : 1)
  );
}

/**
 * @param {string} name
 * @param {Field} field
 * @param {number} total
 * @returns {FacetValue[]}
 */
function mostFrequent(name, field, total) {
  return [...field.values]
    .sort(([value, one], [otherValue, other]) => other.count - one.count || (value < otherValue ? -1 : 1))
    .slice(0, MAX_VALUES)
    .map(([value, { count, term }]) => ({
      value,
      term: term || `${DERIVED[name] ?? `${name}=`}${value}`,
      count,
      share: count / total,
    }));
}
