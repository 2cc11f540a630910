// The empty list, which explains why it is empty: reloaded from the server when delivery changes.

import { find } from "../common/dom.js";
import { getHtml } from "../common/requests.js";
import { localizeTimes } from "../common/times.js";

const AFTER_CHANGE_MS = 300;
const emptyState = () => find("#empty", HTMLElement);

async function reload() {
  if (emptyState()?.hidden !== false) return;
  try {
    const html = await getHtml(location.href);
    const fresh = find("#empty", HTMLElement, new DOMParser().parseFromString(html, "text/html"));
    if (!fresh || emptyState()?.hidden !== false) return;
    localizeTimes(fresh);
    emptyState()?.replaceWith(fresh);
  } catch {
    // The page already shows that it is signed out or not live.
  }
}

/**
 * Reload the explanation when the state of a subscription in `strip` changes.
 * @param {HTMLElement} strip
 */
export function startEmptyState(strip) {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  const changes = new MutationObserver(() => {
    clearTimeout(timer);
    timer = setTimeout(reload, AFTER_CHANGE_MS);
  });
  changes.observe(strip, { subtree: true, attributeFilter: ["data-state"] });
}
