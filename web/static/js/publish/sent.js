// Follow a published message until it is here.

import { startTimes, timeElement } from "../common/times.js";
import { SignedOutError, get } from "../common/requests.js";

const LOOK_EVERY_MS = 500;
const LONGEST_WAIT_MS = 8_000;
const LOOK_FOR_MS = 120_000;
const place = document.getElementById("sent");
const trouble = document.getElementById("trouble");

function arrived(item, stop) {
  item.dataset.arrived = stop.received_at;
  const words = item.querySelector(".stop-words");
  const link = linkTo(`/messages/${stop.id}`, "It is here");
  words.replaceChildren(link, ": published ", timeElement(stop.published_at), ", stored ", timeElement(stop.received_at));
  words.append(` (${stop.latency}), shown here `, timeElement(new Date().toISOString()));
}

async function look() {
  const { stops } = await (await get(location.href, "application/json")).json();
  for (const stop of stops) {
    const item = [...place.querySelectorAll("[data-stop]")].find((one) => one.dataset.stop === stop.subscription);
    if (item && stop.received_at && !item.dataset.arrived) arrived(item, stop);
  }
}

/** Say why the page does not follow at the moment; nothing when it does. */
function say(...parts) {
  // The same again is not news: a voice would repeat it.
  const text = parts.map((part) => part.textContent ?? part).join("");
  if (trouble.textContent !== text) trouble.replaceChildren(...parts);
  trouble.hidden = !parts.length;
}

function linkTo(address, words) {
  const link = document.createElement("a");
  link.href = address;
  link.textContent = words;
  return link;
}

// As the server accepts it for the way back: a slash within the query is escaped.
const here = () => `${location.pathname}?${new URLSearchParams(location.search)}`;
const isOnItsWay = () => place.querySelector('[data-arrived=""]') !== null;
const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

async function follow() {
  let wait = LOOK_EVERY_MS;
  let waited = 0;
  while (isOnItsWay() && waited < LOOK_FOR_MS) {
    await pause(wait);
    if (document.hidden) continue;
    waited += wait;
    try {
      await look();
      wait = LOOK_EVERY_MS;
      say();
    } catch (error) {
      if (error instanceof SignedOutError) {
        say("You are signed out. ", linkTo(`/login?${new URLSearchParams({ next: here() })}`, "Sign in again"));
        return;
      }
      wait = Math.min(wait * 2, LONGEST_WAIT_MS);
      say("The server did not answer. This page goes on asking.");
    }
  }
  if (isOnItsWay()) say("It did not come within 2 minutes, and this page stopped asking. ", linkTo(location.href, "Look again"));
}

startTimes();
follow();
