// Follow a published message until every subscription has stored it.

import { find, findAll, query } from "../common/dom.js";
import { getJson, SignedOutError } from "../common/requests.js";
import { startTimes, timeElement } from "../common/times.js";
import { BackOff } from "../core/back_off.js";

/** @typedef {import("../common/types.js").PublishedStop} PublishedStop */

const MIN_WAIT_MS = 500;
const MAX_WAIT_MS = 8_000;
const FOLLOW_MS = 120_000;
const section = query("#sent", HTMLElement);
const problem = query("#trouble", HTMLElement);

/**
 * @param {HTMLElement} item
 * @param {PublishedStop} stop
 */
function showArrived(item, stop) {
  item.dataset.arrived = stop.received_at;
  const text = query(".stop-words", HTMLElement, item);
  text.replaceChildren(link(`/messages/${stop.id}`, "It is here"), ": published ", timeElement(stop.published_at));
  text.append(", stored ", timeElement(stop.received_at));
  text.append(` (${stop.latency}), shown here `, timeElement(new Date().toISOString()));
  find(".doubt", HTMLElement, item)?.remove();
}

async function update() {
  /** @type {{ stops: PublishedStop[] }} */
  const { stops } = await getJson(location.href);
  for (const item of findAll("[data-stop]", HTMLElement, section)) {
    const stop = stops.find(({ subscription }) => subscription === item.dataset.stop);
    if (stop?.received_at && !item.dataset.arrived) showArrived(item, stop);
  }
}

/**
 * Show why the page does not follow; without parts, hide it. An unchanged text stays: a screen reader would repeat it.
 * @param {...(string | HTMLElement)} parts
 */
function showProblem(...parts) {
  const text = parts.map((part) => (typeof part === "string" ? part : part.textContent)).join("");
  if (problem.textContent !== text) problem.replaceChildren(...parts);
  problem.hidden = !parts.length;
}

/**
 * @param {string} address
 * @param {string} text
 */
function link(address, text) {
  return Object.assign(document.createElement("a"), { href: address, textContent: text });
}

/** Return this page's address as the server accepts it after a sign-in: slashes in the query are escaped. */
const returnAddress = () => `${location.pathname}?${new URLSearchParams(location.search)}`;
const isWaiting = () => section.querySelector('[data-arrived=""]') !== null;
/** @param {number} ms */
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

async function follow() {
  const failures = new BackOff(2 * MIN_WAIT_MS, MAX_WAIT_MS);
  let wait = MIN_WAIT_MS;
  let waited = 0;
  while (isWaiting() && waited < FOLLOW_MS) {
    await pause(wait);
    if (document.hidden) continue;
    waited += wait;
    try {
      await update();
      failures.reset();
      wait = MIN_WAIT_MS;
      showProblem();
    } catch (error) {
      if (error instanceof SignedOutError) {
        const login = `/login?${new URLSearchParams({ next: returnAddress() })}`;
        showProblem("You are signed out. ", link(login, "Sign in again"));
        return;
      }
      wait = failures.next();
      showProblem("The server did not answer. This page will ask again.");
    }
  }
  if (isWaiting()) {
    const doubts = findAll(".doubt", HTMLElement, section).map((doubt) => `${doubt.textContent}. `);
    const text = "The message did not arrive within 2 minutes. This page stopped asking. ";
    showProblem(text, ...doubts, link(location.href, "Look again"));
  }
}

startTimes();
follow();
