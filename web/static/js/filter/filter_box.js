// The filter box, and links that add a term to the filter or exclude it. The filter is in the address.

import { closest, find, opensElsewhere, query } from "../common/dom.js";
import { addTerm, excluding } from "../core/filter_text.js";
import { addressOfList, rowsElement, shownList } from "../list/shown_list.js";
import { startCompletion } from "./completion.js";
import { StopButton } from "./stop_button.js";

const LINKS = "a[data-filter]";

const filterBox = () => query("#q", HTMLInputElement);

export function focusFilter() {
  filterBox().focus();
  filterBox().select();
}

/**
 * Add the term of a link's address to the filter shown, or exclude it.
 * @param {HTMLAnchorElement} link
 * @param {{ exclude: boolean }} options
 */
function followLink(link, { exclude }) {
  const term = new URL(link.href).searchParams.get("q") ?? "";
  location.assign(addressOfList({ filter: addTerm(shownList().filter, exclude ? excluding(term) : term) }));
}

/** @param {HTMLFormElement} form */
function fieldsOf(form) {
  /** @type {NodeListOf<HTMLInputElement | HTMLSelectElement | HTMLButtonElement>} */
  return form.querySelectorAll("input, select, button");
}

/**
 * Keep empty fields out of the address, except the filter where a default would replace it.
 * @param {HTMLFormElement} form
 */
function disableEmptyFields(form) {
  const hasDefault = "hasDefault" in rowsElement().dataset;
  for (const field of fieldsOf(form)) field.disabled = !field.value && !(field.name === "q" && hasDefault);
}

/**
 * @param {() => void} onStopped
 */
function startForm(onStopped) {
  const form = query("#search", HTMLFormElement);
  const enableFields = () => {
    for (const field of fieldsOf(form)) field.disabled = false;
  };
  const stopButton = new StopButton(form, () => {
    stop(); // the browser's own: it aborts the request of the next page
    enableFields();
    onStopped();
  });
  form.addEventListener("submit", () => {
    disableEmptyFields(form);
    stopButton.showSoon();
  });
  addEventListener("pageshow", () => {
    stopButton.hide();
    enableFields();
  });
  find("#subscription", HTMLSelectElement)?.addEventListener("change", () => form.requestSubmit());
  filterBox().addEventListener("keydown", (event) => event.key === "Escape" && filterBox().blur());
}

/**
 * Start the box, and every link with `data-filter`, also those that come later.
 * @param {{ onStopped: () => void }} callbacks the reader stopped the search of the next page, and with it all requests
 */
export function startFilter({ onStopped }) {
  startCompletion();
  startForm(onStopped);
  document.addEventListener("click", (event) => {
    const link = closest(event, LINKS, HTMLAnchorElement);
    if (!link || opensElsewhere(event)) return;
    event.preventDefault();
    followLink(link, { exclude: event.altKey });
  });
  document.addEventListener("keydown", (event) => {
    const link = closest(event, LINKS, HTMLAnchorElement);
    if (!link || event.key !== "-" || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    followLink(link, { exclude: true });
  });
}
