import assert from "node:assert/strict";
import { beforeEach, mock, test } from "node:test";
import { StreamSlot, slotCount, TURN_MS } from "../../web/static/js/core/stream_slot.js";
import { SharedLocks, settled } from "./shared_locks.js";

const SLOTS = slotCount("http/1.1");
/** @type {SharedLocks} */
let locks;

beforeEach(() => {
  locks = new SharedLocks();
  mock.timers.reset();
  mock.timers.enable({ apis: ["Date"], now: 1_000_000 });
});

class Tab {
  isHidden = true;
  notifies = false;
  isOpen = false;
  visits = 0;

  constructor({ notifies = false } = {}) {
    this.notifies = notifies;
    this.slot = new StreamSlot(locks, SLOTS, {
      isHidden: () => this.isHidden,
      staysConnected: () => this.notifies,
      onGranted: () => {
        this.isOpen = true;
        this.visits += 1;
      },
      onLost: () => {
        this.isOpen = false;
      },
      onTurns: () => {},
    });
  }

  async show() {
    this.isHidden = false;
    this.slot.comeToFront();
    this.slot.request();
    await settled();
    return this;
  }

  async hide() {
    this.isHidden = true;
    this.slot.settle();
    await settled();
  }
}

/** @param {Tab[]} tabs */
const openOf = (tabs) => tabs.filter(({ isOpen }) => isOpen);

/** @param {Tab[]} tabs */
async function passTurn(tabs) {
  mock.timers.tick(TURN_MS);
  for (const { slot } of tabs) {
    await slot.checkTurn();
    await settled();
  }
}

/** @param {number} count */
async function shownTabs(count) {
  const tabs = [];
  for (let number = 0; number < count; number += 1) tabs.push(await new Tab().show());
  return tabs;
}

for (const [protocol, count] of /** @type {const} */ ([
  ["http/1.1", 3],
  ["", 3],
  ["h2", 20],
  ["h3", 20],
])) {
  test(`over "${protocol}" a browser has ${count} streams`, () => assert.equal(slotCount(protocol), count));
}

test("the tab that was shown last has a stream, and the browser has no more than its slots", async () => {
  const tabs = [];
  for (let number = 0; number < 20; number += 1) {
    tabs.push(await new Tab().show());
    assert.ok(tabs[number].isOpen);
    assert.ok(openOf(tabs).length <= SLOTS);
  }
});

test("a tab in the back closes its stream when another tab is shown, and opens it when it is shown", async () => {
  const [first] = await shownTabs(1);
  await first.hide();
  assert.ok(first.isOpen, "no other tab needs it");
  const [second] = await shownTabs(1);
  assert.deepEqual([first.isOpen, second.isOpen], [false, true]);
  await second.hide();
  await first.show();
  assert.deepEqual([first.isOpen, second.isOpen], [true, false]);
});

test("visible tabs without a slot take turns, and the one in front keeps its stream", async () => {
  const tabs = await shownTabs(12);
  const [front] = tabs.slice(-1);
  const visits = front.visits;
  for (let turn = 0; turn < 12; turn += 1) {
    await passTurn(tabs);
    assert.ok(openOf(tabs).length <= SLOTS);
    assert.ok(front.isOpen);
  }
  assert.equal(front.visits, visits, "its stream was not interrupted");
  assert.ok(
    tabs.slice(0, -1).every(({ visits }) => visits >= 2),
    `turns: ${tabs.map((tab) => tab.visits)}`,
  );
  assert.ok(tabs.slice(0, -1).every(({ slot }) => slot.isInTurns));
});

test("turns end when there are enough slots", async () => {
  const tabs = await shownTabs(4);
  await passTurn(tabs);
  for (const { slot } of tabs.splice(0, 2)) slot.leave();
  await settled();
  await passTurn(tabs);
  await passTurn(tabs);
  assert.deepEqual(
    tabs.map(({ isOpen, slot }) => [isOpen, slot.isInTurns]),
    Array(2).fill([true, false]),
  );
});

test("a tab that is focused while it waits gets a stream at once", async () => {
  const tabs = await shownTabs(8);
  const waiting = tabs.filter(({ isOpen }) => !isOpen);
  for (const tab of waiting) {
    await tab.slot.comeToFront();
    await settled();
    assert.ok(tab.isOpen);
    assert.ok(openOf(tabs).length <= SLOTS);
  }
});

test("hidden tabs that notify share one slot in turns, and visible tabs have the others", async () => {
  const hidden = [new Tab({ notifies: true }), new Tab({ notifies: true }), new Tab({ notifies: true })];
  for (const tab of hidden) {
    await tab.show();
    await tab.hide();
  }
  const shown = await shownTabs(2);
  assert.equal(openOf(hidden).length, 1);
  for (let turn = 0; turn < 6; turn += 1) {
    await passTurn(hidden);
    assert.equal(openOf(hidden).length, 1);
    assert.equal(openOf(shown).length, 2);
  }
  assert.ok(
    hidden.every(({ visits }) => visits >= 3),
    `turns: ${hidden.map(({ visits }) => visits)}`,
  );
});

test("a hidden tab that only follows takes a free slot and waits for none", async () => {
  const shown = await shownTabs(SLOTS);
  const opened = new Tab();
  opened.slot.request();
  await settled();
  assert.equal(opened.isOpen, false);
  for (const { slot } of shown) slot.leave();
  await settled();
  opened.slot.request();
  await settled();
  assert.ok(opened.isOpen);
});

test("a page that is left gives everything back, also while it waits", async () => {
  const tabs = await shownTabs(8);
  for (const { slot } of tabs) slot.leave();
  await settled();
  assert.deepEqual([locks.held.size, locks.pending.length], [0, 0]);
});

test("a tab that gives up while a slot is on its way keeps none", async () => {
  const tab = new Tab();
  tab.slot.request();
  tab.slot.release();
  await settled();
  assert.deepEqual([tab.isOpen, locks.held.size], [false, 0]);
});

test("without locks every tab has its stream", async () => {
  /** @type {string[]} */
  const granted = [];
  for (const name of ["a", "b", "c", "d"]) {
    const callbacks = { isHidden: () => false, staysConnected: () => false, onLost: () => {}, onTurns: () => {} };
    new StreamSlot(undefined, SLOTS, { ...callbacks, onGranted: () => granted.push(name) }).request();
  }
  await settled();
  assert.deepEqual(granted, ["a", "b", "c", "d"]);
});

test("twenty tabs that are shown, hidden, focused and closed at random never have more streams than slots", async () => {
  let seed = 20;
  const random = (/** @type {number} */ below) => {
    seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31;
    return Math.floor((seed / 2 ** 31) * below);
  };
  const tabs = Array.from({ length: 20 }, (_, number) => new Tab({ notifies: number % 4 === 0 }));
  for (let step = 0; step < 600; step += 1) {
    const tab = tabs[random(tabs.length)];
    const action = random(6);
    if (action < 2) await tab.show();
    else if (action === 2) tab.hide();
    else if (action === 3) tab.slot.leave();
    else if (action === 4 && !tab.isHidden) tab.slot.comeToFront();
    else await passTurn(tabs);
    if (action === 3) tab.isOpen = false;
    if (random(2)) await settled();
    await settled();
    assert.ok(openOf(tabs).length <= SLOTS, `step ${step}`);
    assert.deepEqual(
      openOf(tabs),
      tabs.filter(({ slot }) => slot.held),
      `step ${step}`,
    );
    const front = tabs.find(({ slot }) => slot.isInFront && slot.isWanted);
    assert.ok(!front || front.isOpen, `step ${step}: the tab in front has no stream`);
  }
});
