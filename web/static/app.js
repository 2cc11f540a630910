// The list page: puts its parts together. State lives here and in data attributes, never in a label.

import { Deliveries } from "./delivery.js";
import { Drawer } from "./drawer.js";
import { History } from "./history.js";
import { showKeys, startKeys } from "./keys.js";
import { Live } from "./live.js";
import { announceArrivals, notify } from "./notices.js";
import { SignedOutError } from "./requests.js";
import { Rows } from "./rows.js";
import { focusSearch, startSearch } from "./search.js";
import { startTimeline } from "./timeline.js";
import { minutesText, startTimes } from "./times.js";

const element = (id) => document.getElementById(id);
const body = element("rows");
const pauseButton = element("pause");
const arrivals = element("arrivals");
const TITLE = document.title;

let paused = false;

const list = document.querySelector(".list");
// A wide page scrolls the list, a narrow one the window.
const isScrolled = () => Math.max(scrollY, list.scrollTop) > 4;
const plural = (count, word) => `${count.toLocaleString("en")} ${word}${count === 1 ? "" : "s"}`;

function refresh() {
  const waiting = rows.waitingCount;
  const holding = paused || isScrolled() || drawer.isOpen;
  element("shown").textContent = rows.count.toLocaleString("en");
  element("empty").hidden = rows.count > 0 || Boolean(element("q-problem"));
  if (arrivals) {
    arrivals.hidden = !(holding && waiting);
    arrivals.textContent = paused ? `${plural(waiting, "new message")} while paused` : `↑ ${plural(waiting, "new message")}`;
  }
  document.title = holding && waiting ? `(${waiting}) ${TITLE}` : TITLE;
}

function setPaused(wanted) {
  if (!pauseButton) return;
  paused = wanted;
  pauseButton.setAttribute("aria-pressed", String(paused));
  pauseButton.querySelector(".words").textContent = paused ? "Resume view" : "Pause view";
  document.body.classList.toggle("view-paused", paused);
  rows.schedule();
  refresh();
}

function toNewest() {
  if (!pauseButton) {
    location.assign(document.querySelector("a.newest").href);
    return;
  }
  drawer.close();
  scrollTo({ top: 0 });
  list.scrollTop = 0;
  setPaused(false);
}

function showConnection(name, since) {
  const words = {
    connecting: "Connecting…",
    live: "Live",
    reconnecting: `Reconnecting since ${minutesText(since)} · not live`,
    "signed-out": "Signed out · not live",
  };
  const place = element("connection");
  place.dataset.state = name;
  if (place.querySelector(".words").textContent !== words[name]) place.querySelector(".words").textContent = words[name];
  document.body.classList.toggle("not-live", name === "reconnecting" || name === "signed-out");
  if (name === "signed-out") signedOut();
}

function signedOut() {
  if (document.querySelector(".signed-out")) return;
  const bar = document.createElement("p");
  bar.className = "signed-out problem";
  bar.setAttribute("role", "alert");
  const link = document.createElement("a");
  link.href = `/login?next=${encodeURIComponent(older.address(""))}`;
  link.textContent = "Sign in again";
  bar.append("You are signed out; nothing new appears here. ", link);
  element("main").prepend(bar);
}

function failed(error) {
  if (error instanceof SignedOutError) signedOut();
  else notify(error.message, "problem");
}

async function resync() {
  try {
    const page = await older.reload();
    if (page.newest) live.continueFrom(page.newest);
  } catch (error) {
    failed(error);
  }
}

const rows = new Rows(body, {
  held: () => paused || isScrolled() || drawer.isOpen,
  changed: refresh,
  arrived: announceArrivals,
  trimmed: (cursor) => older.setOlder(cursor),
});
const drawer = new Drawer(element("drawer"), body, {
  failed,
  changed: () => {
    rows.schedule();
    refresh();
  },
});
const older = new History(rows, body, element("older"), { failed });
const deliveries = new Deliveries(element("deliveries"), { signedOut });

startTimes();
startKeys({
  pause: () => setPaused(!paused),
  next: () => drawer.step(1),
  previous: () => drawer.step(-1),
  open: () => drawer.selected && drawer.open(drawer.selected),
  close: () => drawer.close(),
  newest: toNewest,
  copy: () => drawer.copyLink(),
  search: focusSearch,
});
startSearch(body);
startTimeline(body.dataset);
pauseButton?.addEventListener("click", () => setPaused(!paused));
arrivals?.addEventListener("click", toNewest);
element("keys-button").addEventListener("click", showKeys);
document.addEventListener(
  "scroll",
  () => {
    if (!isScrolled()) rows.schedule();
    if (rows.waitingCount) refresh();
  },
  { capture: true, passive: true },
);

// A page of history does not move; it still tells what happens to delivery.
const isHistory = !pauseButton;
const live = new Live(body.dataset.live, body.dataset, {
  message: (item) => isHistory || rows.add(item),
  delivery: (data) => deliveries.apply(data),
  resync: () => isHistory || resync(),
  state: showConnection,
});
live.connect();
if (rows.count && older.isNear()) older.more();
refresh();
