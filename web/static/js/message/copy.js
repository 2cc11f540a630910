// Copying: what a button carries, what a view shows, a payload as it was sent, a link.

import { notify } from "../common/toasts.js";
import { get } from "../common/requests.js";

// A payload is fetched whole for these; the others are copied as they are shown.
const AS_SENT = new Set(["raw", "tree"]);

/** Write a text, or the promise of one: only while a click is fresh may a page write, so the promise goes along. */
function write(text) {
  if (typeof text === "string") return navigator.clipboard.writeText(text);
  const blob = text.then((found) => new Blob([found], { type: "text/plain" }));
  return navigator.clipboard.write([new ClipboardItem({ "text/plain": blob })]);
}

/** Copy a text, or the promise of one, and say that `what` was copied. */
export async function copy(text, what) {
  try {
    await write(text);
    notify(`${what} copied.`);
  } catch {
    notify(`${what} could not be copied: the browser forbids it, or the server did not answer.`, "problem");
  }
}

async function asSent(address) {
  const bytes = await (await get(address, "application/octet-stream")).arrayBuffer();
  return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
}

function copyPayload(detail) {
  const view = detail.querySelector("a[data-view][aria-current]").dataset.view;
  if (AS_SENT.has(view)) copy(asSent(`/messages/${detail.dataset.id}/data`), "The payload, as it was sent,");
  else copy(detail.querySelector(".code").textContent, `The ${view} view`);
}

/** Wire the copy buttons below `place`. */
export function startCopying(place) {
  place.addEventListener("click", (event) => {
    const button = event.target instanceof Element && event.target.closest("[data-copy], [data-copy-payload], [data-copy-link]");
    if (!button) return;
    if ("copy" in button.dataset) {
      const { what } = button.dataset;
      copy(JSON.parse(button.dataset.copy), what[0].toUpperCase() + what.slice(1));
    } else if ("copyPayload" in button.dataset) {
      copyPayload(button.closest(".detail"));
    } else if (!event.ctrlKey && !event.metaKey) {
      event.preventDefault();
      copy(new URL(button.getAttribute("href"), location.href).href, "The link");
    }
  });
}
