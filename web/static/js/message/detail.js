// What is common to a message's drawer and its own page: its views, the one chosen last, folding, copying.

import { keep, remembered } from "../common/local_storage.js";
import { startCopying } from "./copy.js";
import { get } from "../common/requests.js";
import { localize } from "../common/times.js";

const KEY = "subscope-view";
// What each place waits for: answers may come in another order than they were asked for.
const awaited = new WeakMap();

/**
 * Fetch a message's detail, in the view of its address or else the one chosen last, into `place`.
 * False when something else was asked for meanwhile: then neither the answer nor a failure matters any more.
 */
export async function loadDetail(place, address) {
  const url = new URL(address, location.href);
  url.searchParams.set("part", "detail");
  const chosen = remembered(KEY);
  if (chosen && !url.searchParams.has("view")) url.searchParams.set("view", chosen);
  const turn = {};
  awaited.set(place, turn);
  let html;
  try {
    html = await (await get(url, "text/html")).text();
  } catch (error) {
    if (awaited.get(place) === turn) throw error;
    return false;
  }
  if (awaited.get(place) !== turn) return false;
  const template = document.createElement("template");
  template.innerHTML = html;
  localize(template.content);
  place.replaceChildren(template.content);
  return true;
}

/** Let go of what `place` waits for. */
export function forgetDetail(place) {
  awaited.delete(place);
}

/** Show the view chosen last, where the address names none and the message has it. */
export async function showRememberedView(place) {
  const wanted = place.querySelector(`a[data-view="${CSS.escape(remembered(KEY) ?? "")}"]:not([aria-current])`);
  if (wanted && !new URLSearchParams(location.search).has("view")) await loadDetail(place, wanted.href);
}

async function choose(link) {
  const holder = link.closest(".detail").parentElement;
  const { view } = link.dataset;
  keep(KEY, view);
  if (!(await loadDetail(holder, link.href))) return;
  history.replaceState(history.state, "", link.href);
  holder.querySelector(`a[data-view="${view}"]`)?.focus();
}

/** Unfold a whole tree, or fold it down to its root. */
function fold(button) {
  const levels = [...button.closest(".detail").querySelectorAll(".tree details")];
  const unfold = levels.some((level) => !level.open);
  for (const [index, level] of levels.entries()) level.open = unfold || index === 0;
  button.textContent = unfold ? "Fold" : "Unfold";
}

/** Wire views, folding and copy buttons below `place`. */
export function startDetail(place, { failed }) {
  startCopying(place);
  place.addEventListener("click", (event) => {
    const target = event.target instanceof Element ? event.target : null;
    const view = target?.closest("a[data-view]");
    if (view && !event.ctrlKey && !event.metaKey) {
      event.preventDefault();
      choose(view).catch(failed);
    } else if (target?.closest("[data-fold]")) {
      fold(target.closest("[data-fold]"));
    }
  });
}
