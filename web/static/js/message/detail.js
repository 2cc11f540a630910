// A message's detail, in the drawer and on its own page: views, the remembered view, folding, copying.

import { closest, find, findAll, parseHtml, query } from "../common/dom.js";
import { saveChoice, savedChoice } from "../common/local_storage.js";
import { getHtml } from "../common/requests.js";
import { localizeTimes } from "../common/times.js";
import { startCopying } from "./copy.js";

const KEY = "subscope-view";
/**
 * The last request of each container: answers may arrive in another order than the requests.
 * @type {WeakMap<HTMLElement, object>}
 */
const lastRequest = new WeakMap();

/** @param {string} address */
function detailAddress(address) {
  const url = new URL(address, location.href);
  url.searchParams.set("part", "detail");
  const view = savedChoice(KEY);
  if (view && !url.searchParams.has("view")) url.searchParams.set("view", view);
  return url;
}

/**
 * Load a message's detail into `container`, in the view of the address, otherwise in the remembered one.
 * Return false if a later request replaced this one: its answer, or its failure, is then ignored.
 * @param {HTMLElement} container
 * @param {string} address
 */
export async function loadDetail(container, address) {
  const request = {};
  lastRequest.set(container, request);
  let html;
  try {
    html = await getHtml(detailAddress(address));
  } catch (error) {
    if (lastRequest.get(container) === request) throw error;
    return false;
  }
  if (lastRequest.get(container) !== request) return false;
  const content = parseHtml(html);
  localizeTimes(content);
  container.replaceChildren(content);
  return true;
}

/**
 * Ignore the answer that `container` waits for.
 * @param {HTMLElement} container
 */
export function cancelDetail(container) {
  lastRequest.delete(container);
}

/**
 * Show the remembered view, if the address names none and the message has it.
 * @param {HTMLElement} container
 */
export async function showRememberedView(container) {
  const view = CSS.escape(savedChoice(KEY) ?? "");
  const link = find(`a[data-view="${view}"]:not([aria-current])`, HTMLAnchorElement, container);
  if (link && !new URLSearchParams(location.search).has("view")) await loadDetail(container, link.href);
}

/** @param {HTMLAnchorElement} link */
async function chooseView(link) {
  const container = link.closest(".detail")?.parentElement;
  const { view } = link.dataset;
  if (!container || !view) return;
  saveChoice(KEY, view);
  if (!(await loadDetail(container, link.href))) return;
  history.replaceState(history.state, "", link.href);
  find(`a[data-view="${view}"]`, HTMLAnchorElement, container)?.focus();
}

/**
 * Unfold the whole tree, or fold it to its root.
 * @param {HTMLElement} button
 */
function toggleTree(button) {
  const levels = findAll(".tree details", HTMLDetailsElement, button.closest(".detail") ?? document);
  const unfold = levels.some((level) => !level.open);
  for (const [index, level] of levels.entries()) level.open = unfold || index === 0;
  button.textContent = unfold ? "Fold" : "Unfold";
}

/**
 * Start the views, folding and copy buttons below `container`.
 * @param {HTMLElement} container
 * @param {{ onError: (error: unknown) => void }} callbacks
 */
export function startDetail(container, { onError }) {
  startCopying(container);
  container.addEventListener("click", (event) => {
    const view = closest(event, "a[data-view]", HTMLAnchorElement);
    const foldButton = closest(event, "[data-fold]", HTMLElement);
    if (view && !event.ctrlKey && !event.metaKey) {
      event.preventDefault();
      chooseView(view).catch(onError);
    } else if (foldButton) {
      toggleTree(foldButton);
    }
  });
}

/**
 * Return the link to the message that `container` shows.
 * @param {HTMLElement} container
 */
export function messageLink(container) {
  return query("[data-copy-link]", HTMLAnchorElement, container).href;
}
