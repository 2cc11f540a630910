// One field of the panel: its name, and its most frequent values with counts and links.

import { shownList } from "../list/shown_list.js";
import { element, link } from "./elements.js";

// The layers that the server draws in a bar.
const MAX_LAYERS = 5;

/** @typedef {import("../core/facets.js").Facet} Facet */
/** @typedef {import("../core/facets.js").FacetValue} FacetValue */
/** @typedef {{ count: number | null, isAtLeast: boolean }} Kept an exact count; null where the index cannot count */

/**
 * @param {Facet} facet
 * @param {Map<string, Kept>} kept by term
 */
export function facetSection(facet, kept) {
  const section = element("section", "facet");
  const heading = element("h3", "", facet.label, element("span", "facet-links", stackButton(facet), groupLink(facet)));
  const values = element("ul", "", ...facet.values.map((one) => valueItem(facet, one, kept.get(one.term))));
  section.append(heading, values);
  const more = facet.distinct - facet.values.length;
  if (more > 0) section.append(element("p", "quiet", `and ${more.toLocaleString("en")} other values`));
  return section;
}

/** @param {Facet} facet */
function stackButton({ name, label, values }) {
  const button = element("button", "stack-button", "over time");
  button.setAttribute("type", "button");
  button.setAttribute("aria-label", `Show the values of ${label} in the timeline`);
  const detail = { name, values: values.slice(0, MAX_LAYERS).map(({ value }) => value) };
  button.addEventListener("click", () => document.dispatchEvent(new CustomEvent("subscope:stack", { detail })));
  return button;
}

/** @param {Facet} facet */
function groupLink({ name, label }) {
  const { filter, subscription } = shownList();
  const query = new URLSearchParams({ by: name });
  if (filter) query.set("q", filter);
  if (subscription) query.set("subscription", subscription);
  const made = link("group-link", `/groups?${query}`, "table");
  made.setAttribute("aria-label", `Table of messages by ${label}`);
  return made;
}

/**
 * @param {Facet} facet
 * @param {FacetValue} value
 * @param {Kept | undefined} kept
 */
function valueItem({ label }, { value, term, count, share }, kept) {
  const chosen = link("facet-value", listOf(term), value);
  chosen.dataset.filter = "";
  chosen.title = `${label}=${value} (Alt-click: exclude)`;
  const excluded = link("facet-exclude", listOf(`-${term}`), "−");
  excluded.dataset.filter = "";
  excluded.setAttribute("aria-label", `Exclude ${label} ${value}`);
  const counts = element("span", "facet-count", count.toLocaleString("en"));
  const percent = element("span", "facet-share", `${Math.round(share * 100)} %`);
  const item = element("li", "", chosen, counts, percent, ...(kept ? [keptCount(kept)] : []), excluded);
  item.style.setProperty("--share", String(share));
  return item;
}

/** @param {string} term */
const listOf = (term) => `/messages?${new URLSearchParams({ q: term })}`;

/** @param {Kept} kept */
function keptCount({ count, isAtLeast }) {
  const text = count === null ? "–" : `${isAtLeast ? "≥ " : ""}${count.toLocaleString("en")}`;
  return element("span", "facet-kept", `● ${text}`);
}
