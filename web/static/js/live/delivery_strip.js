// Delivery, which everyone shares: the state of each subscription, Start and Stop.

import { find, findAll, query } from "../common/dom.js";
import { post } from "../common/requests.js";
import { minutesText, timeElement } from "../common/times.js";
import { showToast } from "../common/toasts.js";

/** @typedef {import("../common/types.js").DeliveryEvent} DeliveryEvent */

/** @param {string | null | undefined} iso */
const timeOf = (iso) => Date.parse(iso ?? "");

export class DeliveryStrip {
  /**
   * @param {HTMLElement} element
   * @param {{ onError: (error: unknown) => void, onChange: () => void }} callbacks
   */
  constructor(element, { onError, onChange }) {
    this.element = element;
    this.onChange = onChange;
    this.onError = onError;
    this.dialog = query("#confirm-stop", HTMLDialogElement);
    element.addEventListener("submit", (event) => {
      event.preventDefault();
      if (event.target instanceof HTMLFormElement) this.submit(event.target);
    });
  }

  /** @param {string} subscription */
  sectionOf(subscription) {
    const sections = findAll("[data-subscription]", HTMLElement, this.element);
    return sections.find((section) => section.dataset.subscription === subscription);
  }

  /**
   * Whether the page shows something newer than `event`.
   * @param {HTMLElement} section
   * @param {DeliveryEvent} event
   */
  isOutdated({ dataset }, event) {
    // The answer to a button may overtake an event of the stream.
    if (timeOf(event.changed_at) < timeOf(dataset.changedAt)) return true;
    // The stream has the state that was last stored; a page that could not read the subscription is newer.
    return dataset.readable === "no" && !(timeOf(event.checked_at) > timeOf(dataset.checkedAt));
  }

  /**
   * Show the state that the stream, or the answer to a button, reports. A change also shows a toast.
   * @param {DeliveryEvent} event
   */
  apply(event) {
    const section = this.sectionOf(event.subscription);
    if (!section || this.isOutdated(section, event)) return;
    const isChanged = section.dataset.state !== event.state;
    this.showState(section, event);
    if (!isChanged) return;
    this.showChange(event);
    this.onChange();
  }

  /**
   * @param {HTMLElement} section
   * @param {DeliveryEvent} event
   */
  showState(section, event) {
    section.dataset.state = event.state;
    section.dataset.readable = event.is_readable ? "yes" : "no";
    section.dataset.changedAt = event.changed_at ?? "";
    query(".state-word", HTMLElement, section).textContent = event.word;
    const detail = query(".state-detail", HTMLElement, section);
    detail.replaceChildren();
    if (event.changed_at) {
      detail.append(event.changed_by ? `by ${event.changed_by} ` : "changed elsewhere ");
      detail.append(timeElement(event.changed_at, { short: true }));
    }
    for (const form of findAll("form.switch", HTMLFormElement, section)) {
      form.hidden = !(form.dataset.action === "start" ? event.can_start : event.can_stop);
    }
  }

  /** @param {DeliveryEvent} event */
  showChange(event) {
    const who = event.changed_by || "Someone outside of Subscope";
    const when = event.changed_at ? ` at ${minutesText(new Date(event.changed_at))}` : "";
    showToast(`${who} ${event.change} ${event.subscription}${when}.`);
  }

  /** @param {HTMLFormElement} form */
  async submit(form) {
    const section = form.closest(".delivery");
    if (!(section instanceof HTMLElement)) return;
    if (form.dataset.action === "stop" && !(await this.confirmStop(section.dataset.subscription ?? ""))) return;
    const button = query("button", HTMLButtonElement, form);
    button.disabled = true;
    try {
      /** @type {DeliveryEvent} */
      const event = await (await post(form.action, this.element.dataset.csrf ?? "")).json();
      this.apply(event);
      for (const warning of event.warnings ?? []) showToast(warning, "warning");
    } catch (error) {
      this.onError(error);
    } finally {
      button.disabled = false;
      if (form.hidden) focusState(section);
    }
  }

  /**
   * Ask before a stop.
   * @param {string} subscription
   * @returns {Promise<boolean>}
   */
  confirmStop(subscription) {
    const { dialog } = this;
    const name = find(".about", HTMLElement, dialog);
    if (name) name.textContent = subscription;
    dialog.returnValue = "no";
    dialog.showModal();
    return new Promise((resolve) => {
      dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true });
    });
  }
}

/**
 * Focus the state and not the other button, which took the place of the pressed one: the next key would press it.
 * @param {HTMLElement} section
 */
function focusState(section) {
  const state = query(".state-word", HTMLElement, section);
  state.tabIndex = -1;
  state.focus();
}
