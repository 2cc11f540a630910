import assert from "node:assert/strict";
import { test } from "node:test";
import { compareCursors, dateOfCursor, spanTerms } from "../../web/static/js/core/cursors.js";

const NEW_YEAR = "1767225600000000"; // 2026-01-01T00:00:00Z in microseconds

test("an earlier cursor is less than a later one", () => {
  assert.ok(compareCursors("999-b", "1000-a") < 0);
  assert.ok(compareCursors("1000-a", "999-b") > 0);
});

test("cursors of one microsecond are ordered by id", () => {
  assert.equal(compareCursors("1000-a", "1000-b"), -1);
  assert.equal(compareCursors("1000-b", "1000-a"), 1);
});

test("a cursor equals itself", () => {
  assert.equal(compareCursors("1000-a", "1000-a"), 0);
});

test("an id with hyphens is compared whole", () => {
  assert.equal(compareCursors("1000-a-1", "1000-a-2"), -1);
});

test("cursors one microsecond apart are ordered in the year 2254", () => {
  assert.ok(compareCursors("8993721599999998-a", "8993721599999999-a") < 0);
});

test("cursors sort newest first", () => {
  const cursors = ["2-a", "10-a", "2-b"].sort((a, b) => compareCursors(b, a));
  assert.deepEqual(cursors, ["10-a", "2-b", "2-a"]);
});

test("the date of a cursor drops the microseconds", () => {
  assert.equal(dateOfCursor("1767225600123999-a").toISOString(), "2026-01-01T00:00:00.123Z");
});

test("the terms of a span include its first and its last message", () => {
  assert.equal(
    spanTerms(`${NEW_YEAR}-a`, "1767225601000999-b"),
    "after:2026-01-01T00:00:00.000000Z before:2026-01-01T00:00:01.001000Z",
  );
});

test("the terms of one message's span are one microsecond apart", () => {
  assert.equal(
    spanTerms(`${NEW_YEAR}-a`, `${NEW_YEAR}-a`),
    "after:2026-01-01T00:00:00.000000Z before:2026-01-01T00:00:00.000001Z",
  );
});
