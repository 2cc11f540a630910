// The timeline: updated every minute. Arrow keys move between its bars, and a drag across bars filters the list. Its span
// and its layers are chosen below it; layers of a field come from the panel of fields.

import { closest, find, findAll, parseHtml, query } from "../common/dom.js";
import { saveChoice, savedChoice } from "../common/local_storage.js";
import { getHtml } from "../common/requests.js";
import { localizeTimes } from "../common/times.js";
import { addressOfList } from "./shown_list.js";

const UPDATE_EVERY_MS = 60000;
const PENDING_MS = 3000; // while the server still counts
const SOON_MS = 1500;
const COUNTED_MS = 11000; // the server counts every ten seconds
/** @type {Record<string, number>} */
const STEPS = { ArrowLeft: -1, ArrowRight: 1, Home: -Infinity, End: Infinity };

const SPAN = "subscope-span";
const STACK = "subscope-stack";
const SEVERITY = ":severity";

/** @typedef {{ name: string, values: string[] }} Stack */

const timeline = () => find("#timeline", HTMLElement);

/** @returns {SVGAElement[]} */
function allLinks() {
  const element = timeline();
  return element ? findAll("a", SVGAElement, element) : [];
}

// Chromium's checkVisibility() is true for hidden elements of an SVG, so look at the boxes.
const visibleLinks = () => allLinks().filter((link) => link.getClientRects().length);

/** @param {Event} event */
const linkOf = (event) => closest(event, "#timeline a", SVGAElement);

/**
 * Make one link the timeline's only stop of the Tab key; the newest by default.
 * @param {SVGAElement} [link]
 */
function setTabStop(link = visibleLinks().at(-1)) {
  for (const other of allLinks()) other.setAttribute("tabindex", "-1");
  link?.setAttribute("tabindex", "0");
}

/** @param {KeyboardEvent} event */
function moveFocus(event) {
  const link = linkOf(event);
  const step = STEPS[event.key];
  if (!link || !step) return;
  const links = visibleLinks();
  const next = links[Math.min(links.length - 1, Math.max(0, links.indexOf(link) + step))];
  event.preventDefault();
  setTabStop(next);
  next.focus();
}

/**
 * Return the links between two, in the order of time.
 * @param {SVGAElement} from
 * @param {SVGAElement} to
 */
function linksBetween(from, to) {
  const links = visibleLinks();
  const [first, last] = [links.indexOf(from), links.indexOf(to)].sort((a, b) => a - b);
  return first < 0 ? [] : links.slice(first, last + 1);
}

/** @param {SVGAElement[]} links */
function filterToSpan(links) {
  const since = links[0].dataset.since;
  const until = links[links.length - 1].dataset.until;
  const { timeless = "" } = query("#timeline", HTMLElement).dataset;
  location.assign(addressOfList({ filter: `${timeless} after:${since} before:${until}`.trim() }));
}

function startDrag() {
  /** @type {SVGAElement | null} */
  let start = null;
  /** @param {SVGAElement[]} marked */
  const mark = (marked) => {
    for (const link of visibleLinks()) link.classList.toggle("dragged", marked.includes(link));
  };
  document.addEventListener("dragstart", (event) => linkOf(event) && event.preventDefault());
  document.addEventListener("pointerdown", (event) => {
    start = event.button === 0 ? linkOf(event) : null;
  });
  document.addEventListener("pointermove", (event) => {
    const end = start && linkOf(event);
    if (start && end && end !== start) mark(linksBetween(start, end));
  });
  document.addEventListener("pointerup", (event) => {
    const end = start && linkOf(event);
    const chosen = start && end && end !== start ? linksBetween(start, end) : [];
    start = null;
    mark([]);
    if (chosen.length) filterToSpan(chosen);
  });
}

/**
 * Replace the timeline, and keep the focus.
 * @param {string} html
 */
function replace(html) {
  const content = parseHtml(html);
  localizeTimes(content);
  const { activeElement } = document;
  const focused = activeElement instanceof SVGAElement ? visibleLinks().indexOf(activeElement) : -1;
  timeline()?.replaceWith(query("#timeline", HTMLElement, content));
  setTabStop(visibleLinks()[focused]);
  if (focused >= 0) visibleLinks()[focused]?.focus();
}

export class Timeline {
  constructor() {
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.timer = undefined;
    this.isSoon = false;
    this.hasNews = false; // possibly not yet counted by the server at the next update
    this.span = savedChoice(SPAN) ?? "";
    /** @type {Stack} */
    this.stack = { name: savedChoice(STACK) ?? "", values: [] };
  }

  start() {
    if (!timeline()) return;
    document.addEventListener("visibilitychange", () => !document.hidden && this.update());
    document.addEventListener("keydown", moveFocus);
    document.addEventListener("click", (event) => this.onChoice(event));
    document.addEventListener("subscope:stack", (event) => event instanceof CustomEvent && this.setStack(event.detail));
    startDrag();
    setTabStop();
    if (this.isPending || this.span || this.stack.name) this.update();
    else this.scheduleUpdate();
  }

  /** @param {Event} event */
  onChoice(event) {
    const button = closest(event, ".timeline-choices button", HTMLButtonElement);
    if (!button) return;
    const { span, stack } = button.dataset;
    if (stack !== undefined) {
      this.setStack({ name: stack, values: [] });
    } else {
      this.span = span ?? "";
      saveChoice(SPAN, this.span);
      this.update();
    }
  }

  /** @param {Stack} stack */
  setStack(stack) {
    this.stack = stack;
    // The values of a field belong to the messages of this page.
    saveChoice(STACK, stack.name === SEVERITY ? SEVERITY : "");
    this.update();
  }

  get address() {
    const address = new URL(addressOfList().replace("/messages", "/timeline"), location.href);
    if (this.span) address.searchParams.set("span", this.span);
    if (this.stack.name) address.searchParams.set("stack", this.stack.name);
    for (const value of this.stack.values) address.searchParams.append("value", value);
    return address;
  }

  get isPending() {
    const { pending, unsampled } = timeline()?.dataset ?? {};
    return pending !== undefined || unsampled !== undefined;
  }

  async update() {
    clearTimeout(this.timer);
    this.isSoon = false;
    if (document.hidden) return;
    try {
      replace(await getHtml(this.address));
    } catch {
      // The page already shows that it is signed out or not live.
    }
    this.scheduleUpdate();
  }

  scheduleUpdate() {
    clearTimeout(this.timer);
    // Each sample reads up to 2,000 messages.
    if ("sampled" in (timeline()?.dataset ?? {})) return;
    const later = this.hasNews ? COUNTED_MS : UPDATE_EVERY_MS;
    this.timer = setTimeout(() => this.update(), this.isPending ? PENDING_MS : later);
    this.hasNews = false;
  }

  /** Update soon: delivery changed, or the page was disconnected, so bars and pauses differ. */
  updateSoon() {
    if (this.isSoon || !timeline()) return;
    this.isSoon = true;
    this.hasNews = true;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.update(), SOON_MS);
  }

  /** Update soon if this is the first message of an empty timeline. */
  onArrival() {
    if (!timeline()?.querySelector("rect")) this.updateSoon();
  }
}
