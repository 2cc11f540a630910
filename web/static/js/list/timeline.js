// The timeline: renewed every minute, walked by arrow keys, and a drag across bars chooses a span.

import { get } from "../common/requests.js";
import { listAddress } from "./filter_box.js";
import { localize } from "../common/times.js";

const EVERY_MS = 60000;
const AGAIN_MS = 3000;
const SOON_MS = 1500;
const COUNTED_MS = 11000; // the server counts every ten seconds

const place = () => document.getElementById("timeline");
// Chromium's checkVisibility() is true for what an SVG hides.
const links = () => [...(place()?.querySelectorAll("a") ?? [])].filter((link) => link.getClientRects().length);
const linkOf = (event) => (event.target instanceof Element ? event.target.closest("#timeline a") : null);

/** One stop for the Tab key; arrows do the rest. */
function rove(focused) {
  for (const link of place()?.querySelectorAll("a") ?? []) link.setAttribute("tabindex", "-1");
  const here = focused ?? links().at(-1);
  here?.setAttribute("tabindex", "0");
}

function walk(event) {
  const link = linkOf(event);
  const step = { ArrowLeft: -1, ArrowRight: 1, Home: -Infinity, End: Infinity }[event.key];
  if (!link || !step) return;
  const all = links();
  const next = all[Math.min(all.length - 1, Math.max(0, all.indexOf(link) + step))];
  event.preventDefault();
  rove(next);
  next.focus();
}

/** The links from one to another, whichever comes first. */
function between(from, to) {
  const all = links();
  const [first, last] = [all.indexOf(from), all.indexOf(to)].sort((a, b) => a - b);
  return first < 0 ? [] : all.slice(first, last + 1);
}

function startDrag(dataset) {
  let from = null;
  const show = (chosen) => {
    for (const link of links()) link.classList.toggle("dragged", chosen.includes(link));
  };
  document.addEventListener("dragstart", (event) => linkOf(event) && event.preventDefault());
  document.addEventListener("pointerdown", (event) => {
    from = event.button === 0 ? linkOf(event) : null;
  });
  document.addEventListener("pointermove", (event) => {
    const to = from && linkOf(event);
    if (to && to !== from) show(between(from, to));
  });
  document.addEventListener("pointerup", (event) => {
    const to = from && linkOf(event);
    const chosen = to && to !== from ? between(from, to) : [];
    from = null;
    show([]);
    if (!chosen.length) return;
    const span = `after:${chosen[0].dataset.since} before:${chosen.at(-1).dataset.until}`;
    location.assign(listAddress(`${place().dataset.timeless} ${span}`.trim(), dataset.subscription));
  });
}

/** Keep it new. `dataset` holds the filter and subscription that are shown; what comes back takes what happens. */
export function startTimeline(dataset) {
  if (!place()) return { changed() {}, arrived() {} };
  let timer = null;
  let isSoon = false;
  let isNews = false; // which a look that comes too soon does not show
  const later = () => {
    clearTimeout(timer);
    timer = setTimeout(renew, "pending" in place().dataset ? AGAIN_MS : isNews ? COUNTED_MS : EVERY_MS);
    isNews = false;
  };
  const soon = () => {
    if (isSoon) return;
    isSoon = isNews = true;
    clearTimeout(timer);
    timer = setTimeout(renew, SOON_MS);
  };
  async function renew() {
    clearTimeout(timer);
    isSoon = false;
    if (document.hidden) return;
    try {
      const address = listAddress(dataset.q, dataset.subscription).replace("/messages", "/timeline");
      replace(await (await get(address, "text/html")).text());
    } catch {
      // The page says by itself when it is signed out or not live.
    }
    later();
  }
  document.addEventListener("visibilitychange", () => !document.hidden && renew());
  document.addEventListener("keydown", walk);
  startDrag(dataset);
  rove();
  if ("pending" in place().dataset) renew();
  else later();
  return {
    /** Delivery changed, or the page was away: the bars and the pauses are others now. */
    changed: soon,
    /** A message came: it is news to a timeline without a bar. */
    arrived: () => place().querySelector("rect") || soon(),
  };
}

function replace(html) {
  const template = document.createElement("template");
  template.innerHTML = html;
  localize(template.content);
  const all = links();
  const focused = all.indexOf(document.activeElement);
  place().replaceWith(template.content.querySelector("#timeline"));
  rove(links()[focused]);
  if (focused >= 0) links()[focused]?.focus();
}
