import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { withOffsets } from "../../web/static/js/core/zoned_times.js";

const NOW = Date.UTC(2026, 10, 28, 0, 5);

/**
 * Complete a filter as a browser in this zone does.
 * @param {string} name
 * @param {string} filter
 */
function inZone(name, filter, unchanged = "") {
  const zone = process.env.TZ;
  process.env.TZ = name;
  try {
    return withOffsets(filter, unchanged, NOW);
  } finally {
    if (zone === undefined) delete process.env.TZ;
    else process.env.TZ = zone;
  }
}

const BERLIN = "Europe/Berlin";

describe("a filter typed in local time", () => {
  /** @type {[string, string][]} */
  const cases = [
    ["after:2026-11-27T22:00", "after:2026-11-27T22:00:00+01:00"],
    ["after:2026-07-01T22:00:05.5", "after:2026-07-01T22:00:05.5+02:00"],
    ['-Before:"2026-11-27 22:00" x', "-Before:2026-11-27T22:00:00+01:00 x"],
    ["a  after:2026-11-27 b", "a  after:2026-11-27T00:00:00+01:00 b"],
    ['before:"27 Nov 16:37:39.137"', "before:2026-11-27T16:37:39.137+01:00"],
    ['before:"30 Nov 9:00"', "before:2025-11-30T09:00:00+01:00"],
    ['before:"29 Feb 09:00"', "before:2024-02-29T09:00:00+01:00"],
    ['after:"Fri, 27 Nov 2026 16:37"', "after:2026-11-27T16:37:00+01:00"],
    ["data.at>=2026-11-27", "data.at>=2026-11-27T00:00:00+01:00"],
    ['-"odd at"<"2026-11-27 22:00"', '-"odd at"<2026-11-27T22:00:00+01:00'],
    ["data.at:2026-11-27..2026-11-28T10:00", "data.at:2026-11-27T00:00:00+01:00..2026-11-28T10:00:00+01:00"],
    ["at:..2026-11-27", "at:..2026-11-27T00:00:00+01:00"],
    [
      "(after:2026-11-27 OR -(x -published>2026-11-27))",
      "(after:2026-11-27T00:00:00+01:00 OR -(x -published>2026-11-27T00:00:00+01:00))",
    ],
  ];
  for (const [typed, sent] of cases) {
    test(`is sent as ${sent}`, () => assert.equal(inZone(BERLIN, typed), sent));
  }

  const others = [
    "after:10m",
    "after:2026-11-27T22:00Z",
    'after:"2026-11-27 22:00 UTC"',
    "after:2026-11-27T22:00+05:30",
    "after:2026-02-30",
    "after:2026-11-27T25:00",
    'after:"31 Feb 10:00"',
    'after:"27 Foo 10:00"',
    '"after:2026-11-27T22:00"',
    "at=after:2026-11-27 after: after:soon",
    'after:"2026-11-27 22:00',
    "data.at>=2026-11-27T22:00Z data.total>20261127 n:1..5 at>10m day=2026-11-27",
    "<2026-11-27> /after:2026-11-27.*/ a=b>2026-11-27",
  ];
  for (const typed of others) {
    test(`stays ${typed}`, () => assert.equal(inZone(BERLIN, typed), typed));
  }

  test("keeps the times of the address, which are UTC", () => {
    const typed = "after:2026-11-27 before:2026-11-28";
    const sent = "after:2026-11-27 before:2026-11-28T00:00:00+01:00";
    assert.equal(inZone(BERLIN, typed, "after:2026-11-27 x"), sent);
  });
});

test("an offset west of Greenwich has a minus and minutes", () => {
  assert.equal(inZone("America/St_Johns", "after:2026-11-27"), "after:2026-11-27T00:00:00-03:30");
});
