import assert from "node:assert/strict";
import { test } from "node:test";
import { BackOff, withJitter } from "../../web/static/js/core/back_off.js";

test("the wait doubles after each failure, up to the limit", () => {
  const backOff = new BackOff(1000, 30_000);
  const waits = Array.from({ length: 7 }, () => backOff.next());
  assert.deepEqual(waits, [1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]);
});

test("the wait starts again at its minimum after a success", () => {
  const backOff = new BackOff(1000, 30_000);
  backOff.next();
  backOff.next();
  backOff.reset();
  assert.equal(backOff.next(), 1000);
});

test("a back-off is fresh until the first failure, and again after a success", () => {
  const backOff = new BackOff(1000, 30_000);
  assert.equal(backOff.isFresh, true);
  backOff.next();
  assert.equal(backOff.isFresh, false);
  backOff.reset();
  assert.equal(backOff.isFresh, true);
});

test("jitter changes a wait by at most a quarter", () => {
  assert.equal(withJitter(1000, 0), 750);
  assert.equal(withJitter(1000, 0.5), 1000);
  assert.equal(withJitter(1000, 1), 1250);
});
