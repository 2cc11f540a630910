// Toasts: short messages about what happened. Also announces arrivals to screen readers.

import { countText } from "../core/time_text.js";

const SHOWN_MS = 8000;
const MAX_TOASTS = 4;
const ANNOUNCE_EVERY_MS = 5000;

let unannounced = 0;
let isAnnouncing = false;

/**
 * Show a sentence. A plain toast disappears after a while; a warning or a problem stays until it is closed.
 * @param {string} sentence
 * @param {"plain" | "warning" | "problem"} [kind]
 */
export function showToast(sentence, kind = "plain") {
  const container = document.getElementById("notices");
  if (!container) return;
  const toast = document.createElement("div");
  toast.className = `notice ${kind}`;
  const text = document.createElement("p");
  text.textContent = sentence;
  const close = document.createElement("button");
  close.type = "button";
  close.setAttribute("aria-label", "Dismiss");
  close.textContent = "✕";
  close.addEventListener("click", () => toast.remove());
  toast.append(text, close);
  container.append(toast);
  while (container.children.length > MAX_TOASTS) container.firstElementChild?.remove();
  if (kind === "plain") setTimeout(() => toast.remove(), SHOWN_MS);
}

/**
 * Let screen readers say a sentence.
 * @param {string} sentence
 */
export function announce(sentence) {
  const announcer = document.getElementById("announcer");
  if (announcer) announcer.textContent = sentence;
}

/**
 * Announce how many messages arrived, at most every five seconds: in a burst a screen reader would never stop.
 * @param {number} count
 */
export function announceArrivals(count) {
  unannounced += count;
  if (isAnnouncing) return;
  isAnnouncing = true;
  setTimeout(() => {
    announce(countText(unannounced, "new message"));
    unannounced = 0;
    isAnnouncing = false;
  }, ANNOUNCE_EVERY_MS);
}
