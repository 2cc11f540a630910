// What waits in Pub/Sub, kept fresh while somebody looks; at once when delivery starts or stops.

import { get } from "../common/requests.js";
import { timeElement } from "../common/times.js";

const LOOK_AGAIN_MS = 30_000;
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
  if (!found.lost_from) return;
  const lost = document.createElement("strong");
  lost.className = "lost";
  lost.append("lost from ", timeElement(found.lost_from, { short: true }), " on");
  place.append(" ", lost);
}

let timer = null;

async function look() {
  if (document.hidden) return;
  let againMs = LOOK_AGAIN_MS;
  try {
    const { subscriptions, next_seconds } = await (await get("/backlog", "application/json")).json();
    againMs = next_seconds * 1_000;
    for (const place of strip.querySelectorAll("[data-backlog]")) show(place, subscriptions[place.dataset.backlog]);
  } catch {
    // It stays as it is, with its time.
  }
  clearTimeout(timer);
  timer = setTimeout(look, againMs);
}

const changes = new MutationObserver(() => setTimeout(look, AFTER_CHANGE_MS));
for (const section of strip.children) changes.observe(section, { attributeFilter: ["data-state"] });
// The server does not wait long for a figure that it has to ask Google for.
timer = setTimeout(look, AFTER_CHANGE_MS);
document.addEventListener("visibilitychange", look);
