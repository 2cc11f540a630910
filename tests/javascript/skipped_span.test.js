import assert from "node:assert/strict";
import { test } from "node:test";
import { SkippedSpan } from "../../web/static/js/core/skipped_span.js";

test("skipped messages are counted over several calls", () => {
  const span = new SkippedSpan();
  span.add(["3-a", "2-a"]);
  span.add(["1-a"]);
  assert.deepEqual({ ...span }, { count: 3, isExact: true, oldest: "1-a", newest: "3-a" });
});

test("the span does not depend on the order of arrival", () => {
  const span = new SkippedSpan();
  span.add(["2-a", "10-a", "1-a"]);
  assert.deepEqual([span.oldest, span.newest], ["1-a", "10-a"]);
});

test("the number is not exact once messages were not sent", () => {
  const span = new SkippedSpan();
  span.add(["5-a"]);
  span.addUncounted("2-a", "9-a");
  assert.deepEqual({ ...span }, { count: 1, isExact: false, oldest: "2-a", newest: "9-a" });
});
