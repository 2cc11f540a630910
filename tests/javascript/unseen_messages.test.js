import assert from "node:assert/strict";
import { test } from "node:test";
import { UnseenMessages } from "../../web/static/js/core/unseen_messages.js";

/** @param {string} id */
function message(id, subscription = "orders") {
  return { id, cursor: `1-${id}`, subscription, deliveries: 1, html: "<tr></tr>" };
}

/** @param {...string} ids */
function unseen(...ids) {
  const messages = new UnseenMessages();
  for (const id of ids) messages.add(message(id));
  return messages;
}

test("all messages since the list was in view are counted, each is named once", () => {
  const messages = unseen("a", "b");
  const first = messages.name();
  assert.deepEqual([first.title, first.ids, first.newest?.id], ["2 new messages", ["a", "b"], "b"]);
  assert.equal(messages.hasNews, false);
  messages.add(message("c"));
  const second = messages.name();
  assert.deepEqual([second.title, second.ids], ["3 new messages", ["c"]]);
});

test("a message that another tab named is not named here, before or after it arrives", () => {
  const messages = unseen("a", "b");
  messages.onNamedElsewhere(["a", "c"]);
  messages.add(message("c"));
  assert.deepEqual(messages.name().ids, ["b"]);
  messages.onNamedElsewhere(["d"]);
  messages.add(message("d"));
  assert.equal(messages.hasNews, false);
});

test("at most three subscriptions are named", () => {
  const messages = new UnseenMessages();
  for (const name of ["s1", "s2", "s1", "s3", "s4"]) messages.add(message(`of ${name}`, name));
  assert.equal(messages.name().subscriptions, "s1, s2, s3, …");
});

test("messages that the stream could not send make the count inexact", () => {
  const messages = unseen("a");
  messages.addUncounted();
  assert.deepEqual([messages.hasNews, messages.name().title, messages.hasNews], [true, "Many new messages", false]);
});

test("a burst is counted whole", () => {
  const messages = unseen(...Array.from({ length: 2000 }, (_, number) => `m${number}`));
  assert.equal(messages.name().title, "2,000 new messages");
});

test("a list in view counts from zero", () => {
  const messages = unseen("a");
  messages.addUncounted();
  messages.clear();
  assert.equal(messages.hasNews, false);
  messages.add(message("b"));
  assert.equal(messages.name().title, "1 new message");
});

test("the ids of other tabs are remembered up to a limit", () => {
  const messages = new UnseenMessages();
  messages.onNamedElsewhere(Array.from({ length: 6000 }, (_, number) => `m${number}`));
  assert.equal(messages.elsewhere.size, 5000);
  assert.ok(messages.elsewhere.has("m5999"));
});
