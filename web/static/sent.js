// Follow a published message until it is here.

import { startTimes, timeElement } from "./times.js";
import { get } from "./requests.js";

const LOOK_EVERY_MS = 500;
const LOOK_FOR_MS = 120_000;
const place = document.getElementById("sent");
const until = Date.now() + LOOK_FOR_MS;

function arrived(item, stop) {
  const link = document.createElement("a");
  link.href = `/messages/${stop.id}`;
  link.textContent = "It is here";
  item.dataset.arrived = stop.received_at;
  const words = item.querySelector(".stop-words");
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

async function follow() {
  while (place.querySelector('[data-arrived=""]') && Date.now() < until) {
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
    try {
      if (!document.hidden) await look();
    } catch {
      return; // signed out, or away: the page's own links still work
    }
  }
}

startTimes();
follow();
