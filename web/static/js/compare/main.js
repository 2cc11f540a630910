// The page that compares two messages: keys that lead from difference to difference, and the JSON Patch to copy.

import { closest, findAll, query } from "../common/dom.js";
import { get } from "../common/requests.js";
import { startShortcuts } from "../common/shortcuts.js";
import { startTimes } from "../common/times.js";
import { copy } from "../message/copy.js";

const differences = findAll("[data-difference]", HTMLElement);

/**
 * Go to the next (1) or the previous (-1) difference; without a focused one, to the first or the last.
 * @param {1 | -1} step
 */
function go(step) {
  const at = differences.findIndex((one) => one.contains(document.activeElement));
  const next = at < 0 ? differences.at(step > 0 ? 0 : -1) : differences[at + step];
  if (!next) return;
  next.focus({ preventScroll: true });
  next.scrollIntoView({ block: "nearest" });
}

/** @param {string} address */
async function fetchPatch(address) {
  return (await get(address, "application/json")).text();
}

startTimes();
startShortcuts({
  close: () => location.assign(query("a.back", HTMLAnchorElement).href),
  next_difference: () => go(1),
  previous_difference: () => go(-1),
});
document.addEventListener("click", (event) => {
  const address = closest(event, "[data-copy-patch]", HTMLElement)?.dataset.copyPatch;
  if (address) copy(fetchPatch(address), "The JSON Patch");
});
