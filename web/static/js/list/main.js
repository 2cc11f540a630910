// The list page: puts its parts together. State lives here and in data attributes, never in a label.

import { Alerts } from "./desktop_notifications.js";
import { Deliveries } from "./delivery_strip.js";
import { Drawer } from "./drawer.js";
import { startEmpty } from "./empty_state.js";
import { History } from "./older_pages.js";
import { showKeys, startKeys } from "../common/shortcuts.js";
import { Live } from "./event_stream.js";
import { announceArrivals, notify } from "../common/toasts.js";
import { startPlace } from "./scroll_position.js";
import { SignedOutError } from "../common/requests.js";
import { Rows, compare } from "./rows.js";
import "../common/clear_notice_from_url.js";
import { Skipped } from "./skipped_banner.js";
import { focusSearch, startSearch } from "./filter_box.js";
import { startTimeline } from "./timeline.js";
import { minutesText, startTimes } from "../common/times.js";

const element = (id) => document.getElementById(id);
const body = element("rows");
const pauseButton = element("pause");
const arrivals = element("arrivals");
const TITLE = document.title;
const RELOAD_AGAIN_MS = 5_000;

let paused = false;
let mustReload = false;
let reloading = false;
let resyncSince = null; // since when the page was away that must read the newest again

const list = document.querySelector(".list");
// A wide page scrolls the list, a narrow one the window.
const isScrolled = () => Math.max(scrollY, list.scrollTop) > 4;
const plural = (count, word) => `${count.toLocaleString("en")} ${word}${count === 1 ? "" : "s"}`;

// Walked by keys, a row is held as it is under a pointer.
const isWalked = () => Boolean(drawer.walked?.contains(document.activeElement));
const held = () => paused || isScrolled() || drawer.isOpen || isWalked();

function refresh() {
  const waiting = rows.waitingCount;
  const holding = held();
  element("shown").textContent = rows.count.toLocaleString("en");
  element("empty").hidden = rows.count > 0 || Boolean(element("q-problem"));
  if (arrivals) {
    arrivals.hidden = !(holding && (waiting || mustReload));
    const many = mustReload ? "Many new messages" : plural(waiting, "new message");
    arrivals.textContent = paused ? `${many} while paused` : `↑ ${many}`;
  }
  const unseen = Math.max(alerts.count, holding ? waiting : 0);
  document.title = unseen ? `(${unseen}) ${TITLE}` : TITLE;
}

function setPaused(wanted) {
  if (!pauseButton) return;
  paused = wanted;
  pauseButton.setAttribute("aria-pressed", String(paused));
  pauseButton.querySelector(".words").textContent = paused ? "Resume view" : "Pause view";
  document.body.classList.toggle("view-paused", paused);
  goOn();
  refresh();
}

function toNewest() {
  if (!pauseButton) {
    location.assign(document.querySelector("a.newest").href);
    return;
  }
  drawer.close();
  if (body.contains(document.activeElement)) document.activeElement.blur();
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
  if (name === "signed-out") {
    signedOut();
    alerts.signedOut();
  }
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

/** What came while this page had no connection is here. */
function caughtUp(count, since) {
  timeline.changed();
  if (count) notify(`Caught up: ${plural(count, "message")} came while this page was away, since ${minutesText(since)}.`);
}

/** A message that somebody was told of: its row may still wait for the page to be seen, or for the reader. */
function openArrived(id, tries = 10) {
  const row = rows.byId.get(id);
  if (row) drawer.open(row);
  else if (tries) setTimeout(() => openArrived(id, tries - 1), 50);
  else location.assign(`/messages/${id}`);
}

/** The stream brought a message; whether it is news to this page. */
function took(item) {
  const isNew = rows.add(item);
  if (isNew) {
    alerts.arrived(item);
    timeline.arrived();
  }
  return isNew;
}

/** The reader let go of the list: show what waited for that. */
function goOn() {
  if (mustReload && !held() && !reloading) resync();
  else rows.schedule();
}

/** The stream could not send all: the newest are read again, but never under a reader. */
async function resync(since = resyncSince) {
  resyncSince = since;
  mustReload = held() || reloading;
  if (mustReload) {
    alerts.arrivedUncounted();
    refresh();
    return;
  }
  const from = rows.newest;
  reloading = true; // what arrives meanwhile waits: the page that is read may not have it
  try {
    const page = await older.reload(from);
    if (page.newest) live.continueFrom(page.newest);
    resyncSince = null;
    tellReread(page, from, since);
  } catch (error) {
    failed(error);
    mustReload = true;
    setTimeout(goOn, RELOAD_AGAIN_MS);
    return;
  } finally {
    reloading = false;
  }
  goOn();
}

/** What the newest, read again, have that came after `from`; and that some are not here, if so. */
function tellReread(page, from, since) {
  const fresh = page.rows.filter((row) => !from || compare(row.cursor, from) > 0);
  for (const item of fresh) alerts.arrived(item);
  if (page.isWhole || !from) {
    if (since) caughtUp(fresh.length, since);
    return;
  }
  alerts.arrivedUncounted();
  skipped?.jumped(from, page.older);
}

const alerts = new Alerts(element("notify"), body.dataset, { changed: () => refresh(), open: openArrived });
const rows = new Rows(body, {
  held: () => held() || reloading,
  changed: refresh,
  arrived: announceArrivals,
  trimmed: (cursor) => older.setOlder(cursor),
  skipped: (items) => skipped?.add(items),
});
const skipped = arrivals && new Skipped(element("skipped"), body.dataset);
const drawer = new Drawer(element("drawer"), body, {
  failed,
  changed: () => {
    goOn();
    refresh();
  },
});
const older = new History(rows, body, element("older"), { failed });
const deliveries = new Deliveries(element("deliveries"), { signedOut, changed: () => timeline.changed() });

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
startEmpty(element("deliveries"));
const timeline = startTimeline(body.dataset);
startPlace(list, body, older);
pauseButton?.addEventListener("click", () => setPaused(!paused));
arrivals?.addEventListener("click", toNewest);
element("keys-button").addEventListener("click", showKeys);
body.addEventListener("focusout", () => setTimeout(goOn)); // only then is it known where the focus went
document.addEventListener(
  "scroll",
  () => {
    if (!isScrolled()) goOn();
    if (rows.waitingCount) refresh();
  },
  { capture: true, passive: true },
);

// A page of history does not move; it still tells what happens to delivery.
const isHistory = !pauseButton;
const live = new Live(body.dataset.live, body.dataset, {
  message: (item) => !isHistory && took(item),
  gone: (item) => isHistory || rows.remove(item),
  delivery: (data) => deliveries.apply(data),
  resync: (since) => isHistory || resync(since),
  keeps: () => alerts.isOn,
  caughtUp,
  state: showConnection,
});
live.connect();
if (rows.count && older.isNear()) older.more();
refresh();
