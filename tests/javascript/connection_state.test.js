import assert from "node:assert/strict";
import { test } from "node:test";
import { Absence } from "../../web/static/js/core/absence.js";
import { ConnectionStatus } from "../../web/static/js/core/connection_state.js";

const CASES = /** @type {const} */ ([
  ["open", "live", "live"],
  ["open", "connecting", "connecting"],
  ["open", "idle", "connecting"],
  ["open", "reconnecting", "reconnecting"],
  ["open in turns", "live", "turns"],
  ["waiting in turns", "live", "turns"],
  ["waiting in turns", "reconnecting", "reconnecting"],
  ["waiting", "live", "connecting"],
  ["lost", "live", "reconnecting"],
  ["lost in turns", "live", "reconnecting"],
]);

for (const [connection, feed, state] of CASES) {
  test(`a connection that is ${connection}, with a feed that is ${feed}, is shown as ${state}`, () => {
    const status = new ConnectionStatus();
    status.onFeed({ status: feed, since: null });
    const isOpen = connection.startsWith("open");
    const isWaiting = connection.startsWith("waiting");
    assert.equal(status.stateOf({ isOpen, isWaiting, isInTurns: connection.endsWith("in turns") }), state);
  });
}

test("a loss is dated when it begins, and by the server if it is the server's", () => {
  const status = new ConnectionStatus();
  status.since = new Date(0);
  status.set("live");
  status.set("reconnecting");
  const { since } = status;
  assert.ok(since.getTime() > 0);
  status.set("reconnecting");
  assert.equal(status.since, since);
  status.onFeed({ status: "reconnecting", since: "2026-01-02T03:04:05Z" });
  status.set("reconnecting");
  assert.equal(status.since.toISOString(), "2026-01-02T03:04:05.000Z");
});

test("only messages of an absence are counted, and each absence once", () => {
  const absence = new Absence();
  absence.onNewMessage();
  assert.deepEqual(absence.end(), { since: null, count: 0 });
  absence.begin();
  const { since } = absence;
  absence.begin();
  absence.onNewMessage();
  assert.deepEqual(absence.end(), { since, count: 1 });
  assert.equal(absence.isRunning, false);
});

test("a slot that another tab has is an absence only if it lasts, and then from its begin", () => {
  const absence = new Absence();
  absence.onSlotLost();
  assert.equal(absence.isRunning, false);
  const { slotLostAt } = absence;
  absence.begin();
  assert.equal(absence.since, slotLostAt);
  absence.end();
  absence.onOpen();
  absence.begin();
  assert.notEqual(absence.since, slotLostAt);
});
