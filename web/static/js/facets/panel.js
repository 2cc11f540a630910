// The panel of fields beside the list: the most frequent values of each, counted over the rows that are loaded. Exact
// counts of all that is kept come from the server on request. The panel does not change under a pointer or a focus.

import { query } from "../common/dom.js";
import { saveChoice, savedChoice } from "../common/local_storage.js";
import { getJson, sentenceOf } from "../common/requests.js";
import { timeElement } from "../common/times.js";
import { facetsOf, SEVERITY_TERMS, withSeverities } from "../core/facets.js";
import { shownList } from "../list/shown_list.js";
import { element } from "./elements.js";
import { facetSection } from "./section.js";

/** @typedef {import("./section.js").Kept} Kept */
/** @typedef {{ counts: { term: string, count: number | null, is_at_least: boolean }[] }} Counts */

const CHOICE = "subscope-fields";
const UPDATE_AFTER_MS = 400;
// A pointer that has moved over the panel this recently is about to choose a value.
const POINTER_REST_MS = 2_000;
// The server's limit for one look.
const MAX_COUNTED = 30;

export class FacetPanel {
  /** @param {HTMLTableSectionElement} body */
  constructor(body) {
    this.body = body;
    this.panel = query("#facets", HTMLElement);
    this.content = query(".facets-content", HTMLElement, this.panel);
    this.words = query(".facets-words", HTMLElement, this.panel);
    this.button = query("#facets-button", HTMLButtonElement);
    this.countButton = query("#facets-count", HTMLButtonElement);
    /** @type {Map<string, Kept>} */
    this.kept = new Map();
    /** @type {Date | null} */
    this.countedAt = null;
    /** @type {import("../core/facets.js").Facet[]} */
    this.facets = [];
    /** @type {ReturnType<typeof setTimeout> | null} */
    this.timer = null;
    this.pointerAt = -Infinity;
  }

  start() {
    this.button.addEventListener("click", () => this.setOpen(this.panel.hidden !== false));
    this.countButton.addEventListener("click", () => this.count());
    new MutationObserver(() => this.updateSoon()).observe(this.body, { childList: true });
    this.panel.addEventListener("pointermove", () => {
      this.pointerAt = performance.now();
    });
    for (const name of ["pointerleave", "focusout"]) this.panel.addEventListener(name, () => this.updateSoon());
    if (savedChoice(CHOICE) === "open") this.setOpen(true);
  }

  /** @param {boolean} isOpen */
  setOpen(isOpen) {
    this.panel.hidden = !isOpen;
    document.body.classList.toggle("facets-open", isOpen);
    this.button.setAttribute("aria-expanded", String(isOpen));
    saveChoice(CHOICE, isOpen ? "open" : "closed");
    if (isOpen) this.show();
  }

  updateSoon() {
    if (this.panel.hidden) return;
    this.timer ??= setTimeout(() => {
      this.timer = null;
      if (this.isInUse) this.updateSoon();
      else this.show();
    }, UPDATE_AFTER_MS);
  }

  /** Whether a person is about to choose a value. */
  get isInUse() {
    const isMoving = this.panel.matches(":hover") && performance.now() - this.pointerAt < POINTER_REST_MS;
    return isMoving || this.content.contains(document.activeElement);
  }

  show() {
    const rows = [...this.body.rows];
    const loadedFacets = facetsOf(rows.map((row) => row.dataset.facets ?? ""));
    this.facets = withSeverities(loadedFacets, (term) => Boolean(this.kept.get(term)?.count));
    this.content.replaceChildren(...this.facets.map((facet) => facetSection(facet, this.kept)));
    const loaded = rows.length.toLocaleString("en");
    this.words.textContent = this.facets.length
      ? `The figures count the ${loaded} messages loaded here.`
      : `No field repeats in the ${loaded} messages loaded here.`;
    if (this.countedAt) {
      const time = timeElement(this.countedAt.toISOString(), { short: true });
      const kept = element("span", "kept-words", " ● counts all kept messages by the index, at ", time, ".");
      this.words.append(kept, " – means that the index cannot count the value.");
    }
    this.countButton.hidden = !rows.length;
  }

  /** Count the values shown by the index, over all that is kept. */
  async count() {
    const shown = this.facets.flatMap(({ values }) => values.map(({ term }) => term));
    const terms = [...new Set([...SEVERITY_TERMS, ...shown])].slice(0, MAX_COUNTED);
    const { filter, subscription } = shownList();
    const asked = new URLSearchParams({ q: filter, subscription });
    for (const term of terms) asked.append("term", term);
    this.countButton.disabled = true;
    try {
      /** @type {Counts} */
      const { counts } = await getJson(`/facets/counts?${asked}`);
      for (const { term, count, is_at_least: isAtLeast } of counts) this.kept.set(term, { count, isAtLeast });
      this.countedAt = new Date();
      this.show();
    } catch (error) {
      this.words.textContent = sentenceOf(error);
    } finally {
      this.countButton.disabled = false;
    }
  }
}
