// An empty list says why, and what to do; it is written anew by the server whenever delivery changes.

import { get } from "../common/requests.js";
import { localize } from "../common/times.js";

const AFTER_CHANGE_MS = 300;
const place = () => document.getElementById("empty");

async function renew() {
  if (!place() || place().hidden) return;
  try {
    const html = await (await get(location.href, "text/html")).text();
    const fresh = new DOMParser().parseFromString(html, "text/html").getElementById("empty");
    if (!fresh || place().hidden) return;
    localize(fresh);
    place().replaceWith(fresh);
  } catch {
    // The page says by itself when it is signed out or not live.
  }
}

/** `strip` holds a section for each subscription. */
export function startEmpty(strip) {
  let timer = null;
  const changes = new MutationObserver(() => {
    clearTimeout(timer);
    timer = setTimeout(renew, AFTER_CHANGE_MS);
  });
  changes.observe(strip, { subtree: true, attributeFilter: ["data-state"] });
}
