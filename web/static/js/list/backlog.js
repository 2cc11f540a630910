// The backlog in Pub/Sub beside each subscription: updated while the page is visible, and when delivery starts or stops.

import { findAll, query } from "../common/dom.js";
import { getJson } from "../common/requests.js";
import { timeElement } from "../common/times.js";

/** @typedef {import("../common/types.js").Backlog} Backlog */

const UPDATE_EVERY_MS = 30_000;
const AFTER_CHANGE_MS = 1_500;
const strip = query("#deliveries", HTMLElement);
/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer;

/**
 * Return the age of a figure as hours and minutes, without the day.
 * @param {string} iso
 */
function ageElement(iso) {
  const time = timeElement(iso, { short: true });
  const clock = query(".clock", HTMLElement, time);
  time.replaceChildren(clock);
  const age = document.createElement("span");
  age.className = "quiet";
  age.append("(as of ", time, ")");
  return age;
}

/**
 * @param {HTMLElement} place
 * @param {Backlog | null | undefined} backlog
 */
function show(place, backlog) {
  if (!backlog) {
    place.textContent = "backlog unknown";
    return;
  }
  place.replaceChildren(`${backlog.words} `, ageElement(backlog.as_of));
  if (!backlog.lost_from) return;
  const lost = document.createElement("strong");
  lost.className = "lost";
  lost.append("lost from ", timeElement(backlog.lost_from, { short: true }), " on");
  place.append(" ", lost);
}

async function update() {
  if (document.hidden) return;
  let nextMs = UPDATE_EVERY_MS;
  try {
    /** @type {{ subscriptions: Record<string, Backlog | null>, next_seconds: number }} */
    const { subscriptions, next_seconds } = await getJson("/backlog");
    nextMs = next_seconds * 1_000;
    for (const place of findAll("[data-backlog]", HTMLElement, strip)) {
      show(place, subscriptions[place.dataset.backlog ?? ""]);
    }
  } catch {
    // The old figure stays, with its time.
  }
  clearTimeout(timer);
  timer = setTimeout(update, nextMs);
}

const changes = new MutationObserver(() => setTimeout(update, AFTER_CHANGE_MS));
for (const section of strip.children) changes.observe(section, { attributeFilter: ["data-state"] });
// The page was rendered without waiting long for Google's figures: ask again soon.
timer = setTimeout(update, AFTER_CHANGE_MS);
document.addEventListener("visibilitychange", update);
