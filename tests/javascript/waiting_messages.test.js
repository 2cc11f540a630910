import assert from "node:assert/strict";
import { test } from "node:test";
import { WaitingMessages } from "../../web/static/js/core/waiting_messages.js";

/** @param {number} second */
function message(second, deliveries = 1) {
  return { id: `m${second}`, cursor: `${second}-m${second}`, subscription: "orders", deliveries, html: "<tr></tr>" };
}

/** @param {...number} seconds */
function waiting(...seconds) {
  const messages = new WaitingMessages();
  for (const second of seconds) messages.put(message(second));
  return messages;
}

/** @param {{ id: string }[]} messages */
const idsOf = (messages) => messages.map(({ id }) => id);

test("messages are returned newest first, in any order of arrival", () => {
  assert.deepEqual(idsOf(waiting(2, 10, 1).newestFirst()), ["m10", "m2", "m1"]);
});

test("another delivery replaces the message", () => {
  const messages = waiting(1);
  messages.put(message(1, 2));
  assert.deepEqual([messages.size, messages.deliveriesOf("m1")], [1, 2]);
});

test("a message that does not wait has no deliveries", () => {
  assert.equal(waiting(1).deliveriesOf("m2"), 0);
});

test("a deleted message does not wait", () => {
  const messages = waiting(1, 2);
  messages.delete("m1");
  assert.deepEqual(idsOf(messages.newestFirst()), ["m2"]);
});

test("nothing is dropped at the limit", () => {
  const messages = waiting(1, 2, 3, 4);
  assert.deepEqual([messages.dropOldest(4), messages.size], [[], 4]);
});

test("the older half is dropped over the limit", () => {
  const messages = waiting(1, 2, 3, 4, 5);
  assert.deepEqual(idsOf(messages.dropOldest(4)), ["m3", "m2", "m1"]);
  assert.deepEqual(idsOf(messages.newestFirst()), ["m5", "m4"]);
});
