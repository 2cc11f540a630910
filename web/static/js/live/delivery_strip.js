// Delivery, which everyone shares: the state of each subscription, Start and Stop.

import { find, findAll, query } from "../common/dom.js";
import { post } from "../common/requests.js";
import { minutesText, timeElement } from "../common/times.js";
import { showToast } from "../common/toasts.js";

/** @typedef {import("../common/types.js").DeliveryEvent} DeliveryEvent */
/** @typedef {"receiving" | "elsewhere" | "stopped" | "missing" | "denied"} DeliveryState */

/** @type {Record<DeliveryState, string>} */
const STATE_WORDS = {
  receiving: "RECEIVING",
  elsewhere: "SENT ELSEWHERE",
  stopped: "STOPPED",
  missing: "NOT FOUND",
  denied: "NO ACCESS",
};
/** @type {Record<DeliveryState, string>} */
const CHANGES = {
  receiving: "started delivery of",
  elsewhere: "changed the push address of",
  stopped: "stopped delivery of",
  missing: "deleted the subscription",
  denied: "removed the permission to read",
};
const READABLE = new Set(["receiving", "elsewhere", "stopped"]);
/** The form that makes no sense in a state. */
const HIDDEN_FORM = new Map([
  ["receiving", "start"],
  ["stopped", "stop"],
]);

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
   * @param {DeliveryEvent} event
   * @returns {DeliveryState}
   */
  stateOf(event) {
    if (event.unreadable) return event.unreadable;
    if (!event.observed_running) return "stopped";
    return event.push_endpoint === this.element.dataset.pushEndpoint ? "receiving" : "elsewhere";
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
    const isReadable = READABLE.has(dataset.state ?? "");
    return !isReadable && !(timeOf(event.checked_at) > timeOf(dataset.checkedAt));
  }

  /**
   * Show the state that the stream, or the answer to a button, reports. A change also shows a toast.
   * @param {DeliveryEvent} event
   */
  apply(event) {
    const section = this.sectionOf(event.subscription);
    if (!section || this.isOutdated(section, event)) return;
    const state = this.stateOf(event);
    const isChanged = section.dataset.state !== state;
    this.showState(section, event, state);
    if (!isChanged) return;
    this.showChange(event, state);
    this.onChange();
  }

  /**
   * @param {HTMLElement} section
   * @param {DeliveryEvent} event
   * @param {DeliveryState} state
   */
  showState(section, event, state) {
    section.dataset.state = state;
    section.dataset.changedAt = event.changed_at ?? "";
    query(".state-word", HTMLElement, section).textContent = STATE_WORDS[state];
    const detail = query(".state-detail", HTMLElement, section);
    detail.replaceChildren();
    if (event.changed_at) {
      detail.append(event.changed_by ? `by ${event.changed_by} ` : "changed elsewhere ");
      detail.append(timeElement(event.changed_at, { short: true }));
    }
    for (const form of findAll("form.switch", HTMLFormElement, section)) {
      form.hidden = form.dataset.action === HIDDEN_FORM.get(state);
    }
  }

  /**
   * @param {DeliveryEvent} event
   * @param {DeliveryState} state
   */
  showChange(event, state) {
    const who = event.changed_by || "Someone outside of Subscope";
    const when = event.changed_at ? ` at ${minutesText(new Date(event.changed_at))}` : "";
    showToast(`${who} ${CHANGES[state]} ${event.subscription}${when}.`);
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
