// The statistics of the search in the explanation of a filter: they grow with each further page.

import { find } from "../common/dom.js";
import { timeElement } from "../common/times.js";
import { dateOfCursor } from "../core/cursors.js";
import { statisticsText } from "../core/search_statistics.js";

/**
 * Add a page to the statistics, or begin them again.
 * @param {import("../common/types.js").ListPageData} page
 * @param {{ isFirst: boolean }} options
 */
export function addToStatistics(page, { isFirst }) {
  const line = find("#statistics", HTMLElement);
  if (!line) return;
  const before = (/** @type {string} */ name) => (isFirst ? 0 : Number(line.dataset[name]));
  const lookedAt = before("lookedAt") + page.looked_at;
  const matched = before("matched") + page.rows.length;
  const seconds = before("seconds") + page.seconds;
  Object.assign(line.dataset, { lookedAt, matched, seconds });
  line.textContent = statisticsText({ lookedAt, matched, seconds });
  if (page.older) line.append(" Searched back to ", timeElement(dateOfCursor(page.older).toISOString()), ".");
  else line.append(" All that is kept was searched.");
}
