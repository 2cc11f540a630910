import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { countText, relativeTime, timeTexts } from "../../web/static/js/core/time_text.js";

const NOW = Date.UTC(2026, 0, 10);
const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

describe("a relative time", () => {
  /** @type {[number, string][]} */
  const cases = [
    [0, "just now"],
    [0.4, "just now"],
    [1, "1 second ago"],
    [59, "59 seconds ago"],
    [MINUTE, "1 minute ago"],
    [2 * MINUTE - 1, "1 minute ago"],
    [59 * MINUTE, "59 minutes ago"],
    [HOUR, "1 hour ago"],
    [DAY - 1, "23 hours ago"],
    [DAY, "1 day ago"],
    [6 * DAY, "6 days ago"],
    [-1, "just now"],
    [-59, "just now"],
    [-MINUTE, "in 1 minute"],
    [-6 * DAY, "in 6 days"],
  ];
  for (const [seconds, text] of cases) {
    test(`of ${seconds} seconds is "${text}"`, () => {
      assert.equal(relativeTime(new Date(NOW - seconds * 1000), NOW), text);
    });
  }
});

test("a time in UTC has two digits each and milliseconds", () => {
  const date = new Date("2026-03-07T09:05:03.007Z");
  assert.deepEqual(timeTexts(date, "utc"), { day: "7 Mar", minutes: "09:05", seconds: ":03.007" });
});

describe("a local time", () => {
  const date = new Date("2026-06-30T23:30:00.000Z");
  const zone = process.env.TZ;

  /** @type {[string, string, string][]} */
  const cases = [
    ["Asia/Kolkata", "1 Jul", "05:00"],
    ["America/New_York", "30 Jun", "19:30"],
    ["UTC", "30 Jun", "23:30"],
  ];
  for (const [name, day, minutes] of cases) {
    test(`in ${name} is shifted, with its day`, (context) => {
      context.after(() => {
        if (zone === undefined) delete process.env.TZ;
        else process.env.TZ = zone;
      });
      process.env.TZ = name;
      assert.deepEqual(timeTexts(date, "local"), { day, minutes, seconds: ":00.000" });
    });
  }
});

test("a count of one is singular", () => {
  assert.equal(countText(1, "new message"), "1 new message");
});

test("other counts are plural, with commas", () => {
  assert.equal(countText(0, "message"), "0 messages");
  assert.equal(countText(12_345, "message"), "12,345 messages");
});
