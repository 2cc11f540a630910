// web/static/js/core/facets.js: which fields are offered, and how their values are counted.

import assert from "node:assert/strict";
import test from "node:test";
import { facetsOf, withSeverities } from "../../web/static/js/core/facets.js";

/** @param {Record<string, string>} fields */
const row = (fields) =>
  Object.entries(fields)
    .map(([name, value]) => `${name}\t${value}`)
    .join("\n");
/** @param {string[]} rows */
const names = (rows) => facetsOf(rows).map(({ name }) => name);
/**
 * @param {number} count
 * @param {(number: number) => Record<string, string>} make
 */
const many = (count, make) => Array.from({ length: count }, (_, number) => row(make(number)));

test("values are counted, the most frequent first, with their share of all rows", () => {
  const rows = [...many(3, () => ({ env: "prod" })), ...many(1, () => ({ env: "test" })), "", ""];
  const [facet] = facetsOf(rows);
  assert.ok(facet);
  assert.equal(facet.label, "env");
  assert.equal(facet.count, 4);
  assert.equal(facet.distinct, 2);
  assert.deepEqual(facet.values, [
    { value: "prod", term: "env=prod", count: 3, share: 0.5 },
    { value: "test", term: "env=test", count: 1, share: 1 / 6 },
  ]);
});

test("the term is the server's where a name or value needs quotes", () => {
  const rows = Array(2).fill('two words\ta "b"\t"two words"="a \\"b\\""');
  assert.equal(facetsOf(rows)[0]?.values[0]?.term, '"two words"="a \\"b\\""');
});

test("derived fields come first, and their terms have another form", () => {
  const rows = many(4, (number) => ({
    env: "prod",
    ":subscription": number % 2 ? "orders" : "builds",
    ":kind": number % 2 ? "json" : "text",
    ":severity": "ERROR",
  }));
  const facets = facetsOf(rows);
  assert.deepEqual(
    facets.map(({ label }) => label),
    ["severity", "kind", "subscription", "env"],
  );
  assert.deepEqual(
    facets.slice(0, 3).map(({ values }) => values[0]?.term),
    ["severity=ERROR", "kind:json", "subscription:builds"],
  );
});

test("a kind or subscription that all rows share is not offered, and a severity is", () => {
  assert.deepEqual(names(many(4, () => ({ ":severity": "INFO", ":kind": "json", ":subscription": "s" }))), [
    ":severity",
  ]);
});

test("the attribute severity is not offered twice", () => {
  assert.deepEqual(names(many(4, () => ({ ":severity": "ERROR", severity: "ERROR" }))), [":severity"]);
});

test("a field that one row has is not offered", () => {
  assert.deepEqual(names([row({ once: "a" }), row({ twice: "b" }), row({ twice: "b" })]), ["twice"]);
});

/** @type {[string, (number: number) => string][]} */
const identifiers = [
  ["UUIDs", (number) => `00000000-0000-4000-8000-${String(number % 40).padStart(12, "0")}`],
  ["hexadecimal hashes", (number) => `deadbeef${String(number % 40).padStart(8, "0")}`],
  ["long numbers", (number) => String(10_000_000 + (number % 40))],
  ["times", (number) => `2026-11-23T10:${String(number % 40).padStart(2, "0")}:00Z`],
];
for (const [kind, make] of identifiers) {
  test(`${kind} are identifiers even if some repeat`, () => {
    assert.deepEqual(names(many(100, (number) => ({ id: make(number), env: "prod" }))), ["env"]);
  });
}

test("one long number in all rows is a value as any other", () => {
  assert.deepEqual(names(many(100, () => ({ project: "123456789012" }))), ["project"]);
});

test("values that mostly differ are not offered, although they look like words", () => {
  assert.deepEqual(names(many(100, (number) => ({ title: `order ${number % 60}` }))), []);
});

test("of many values the eight most frequent ones are kept", () => {
  const [facet] = facetsOf(many(100, (number) => ({ zone: `zone-${number % 20}` })));
  assert.ok(facet);
  assert.equal(facet.distinct, 20);
  assert.equal(facet.values.length, 8);
});

test("10,000 rows with twelve fields are counted", () => {
  const rows = many(10_000, (number) =>
    Object.fromEntries(Array.from({ length: 12 }, (_, field) => [`field${field}`, `value${number % (field + 2)}`])),
  );
  assert.equal(facetsOf(rows).length, 12);
});

test("severities that only messages beyond the rows have are added to those of the rows", () => {
  const facets = facetsOf(many(3, () => ({ ":severity": "INFO", env: "prod" })));
  const [severity, other] = withSeverities(facets, (term) => term === "severity=ERROR" || term === "severity=INFO");
  assert.deepEqual(
    severity?.values.map(({ value, count }) => [value, count]),
    [
      ["INFO", 3],
      ["ERROR", 0],
    ],
  );
  assert.equal(other?.name, "env");
});

test("without another severity nothing is added", () => {
  const facets = facetsOf(many(3, () => ({ env: "prod" })));
  assert.equal(
    withSeverities(facets, () => false),
    facets,
  );
});

test("an identifier that each of two subscriptions has once is not offered", () => {
  const rows = many(40, (number) => ({
    ":subscription": number % 2 ? "a" : "b",
    order: `ORD-${number >> 1}`,
    env: "prod",
  }));
  assert.deepEqual(names(rows), [":subscription", "env"]);
});
