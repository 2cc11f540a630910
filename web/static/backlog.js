// What waits in Pub/Sub, kept fresh while somebody looks; at once when delivery starts or stops.

import { get } from "./requests.js";
import { timeElement } from "./times.js";

const LOOK_EVERY_MS = 30_000;
const AFTER_CHANGE_MS = 1_500;
const strip = document.getElementById("deliveries");

function show(place, found) {
  if (!found) {
    place.textContent = "backlog unknown";
    return;
  }
  const age = document.createElement("span");
  age.className = "quiet";
  const time = timeElement(found.as_of, { short: true });
  time.querySelector(".day").remove();
  time.firstChild.nodeType === Node.TEXT_NODE && time.firstChild.remove();
  age.append("(as of ", time, ")");
  place.replaceChildren(`${found.words} `, age);
}

async function look() {
  if (document.hidden) return;
  try {
    const { subscriptions } = await (await get("/backlog", "application/json")).json();
    for (const place of strip.querySelectorAll("[data-backlog]")) show(place, subscriptions[place.dataset.backlog]);
  } catch {
    // It stays as it is, with its time.
  }
}

const changes = new MutationObserver(() => setTimeout(look, AFTER_CHANGE_MS));
for (const section of strip.children) changes.observe(section, { attributeFilter: ["data-state"] });
setInterval(look, LOOK_EVERY_MS);
// The server does not wait long for a figure that it has to ask Google for.
if (strip.querySelector("[data-backlog]:not(:has(time))")) setTimeout(look, AFTER_CHANGE_MS);
document.addEventListener("visibilitychange", look);
