// Copy buttons: a value, a view of the payload, the payload as it was published, a link.

import { closest, query } from "../common/dom.js";
import { get } from "../common/requests.js";
import { showToast } from "../common/toasts.js";

// These views show the payload's own bytes, which are fetched whole. Other views are copied as shown, and so is a text
// with marks for bytes that are not UTF-8: the clipboard holds text only.
const VIEWS_OF_BYTES = new Set(["raw", "tree"]);

/**
 * Write a text, or the promise of one. A page may write to the clipboard only right after a click, so the browser gets
 * the promise at once.
 * @param {string | Promise<string>} text
 */
function write(text) {
  if (typeof text === "string") return navigator.clipboard.writeText(text);
  const blob = text.then((resolved) => new Blob([resolved], { type: "text/plain" }));
  return navigator.clipboard.write([new ClipboardItem({ "text/plain": blob })]);
}

/**
 * Copy a text, or the promise of one, and show a toast that names it.
 * @param {string | Promise<string>} text
 * @param {string} name
 */
export async function copy(text, name) {
  try {
    await write(text);
    showToast(`${name} copied.`);
  } catch {
    showToast(`${name} could not be copied: the browser forbids it, or the server did not answer.`, "problem");
  }
}

/** @param {string} address */
async function fetchText(address) {
  const bytes = await (await get(address, "application/octet-stream")).arrayBuffer();
  return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
}

/** @param {HTMLElement} detail */
function copyPayload(detail) {
  const { view = "" } = query("a[data-view][aria-current]", HTMLElement, detail).dataset;
  const code = query(".code", HTMLElement, detail);
  if (VIEWS_OF_BYTES.has(view) && !("marked" in code.dataset)) {
    copy(fetchText(`/messages/${detail.dataset.id}/data`), "The payload, as it was sent,");
  } else {
    copy(code.textContent ?? "", `The ${view} view`);
  }
}

/** @param {HTMLElement} button */
function copyValue({ dataset: { copy: json = '""', what: name = "" } }) {
  copy(JSON.parse(json), name.charAt(0).toUpperCase() + name.slice(1));
}

/**
 * Start the copy buttons below `root`.
 * @param {HTMLElement} root
 */
export function startCopying(root) {
  root.addEventListener("click", (event) => {
    const button = closest(event, "[data-copy], [data-copy-payload], [data-copy-link]", HTMLElement);
    if (!button) return;
    const detail = closest(event, ".detail", HTMLElement);
    if ("copy" in button.dataset) {
      copyValue(button);
    } else if ("copyPayload" in button.dataset) {
      if (detail) copyPayload(detail);
    } else if (button instanceof HTMLAnchorElement && !event.ctrlKey && !event.metaKey) {
      event.preventDefault();
      copy(button.href, "The link");
    }
  });
}
