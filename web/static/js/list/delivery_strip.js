// Delivery, which is everyone's: the state of each subscription in words, Start and Stop.

import { notify } from "../common/toasts.js";
import { SignedOutError, post } from "../common/requests.js";
import { minutesText, timeElement } from "../common/times.js";

const WORDS = { receiving: "RECEIVING", elsewhere: "SENT ELSEWHERE", stopped: "STOPPED" };
const UNREADABLE = { missing: "NOT FOUND", denied: "NO ACCESS" };
const HAPPENED = {
  receiving: "started delivery of",
  elsewhere: "pointed elsewhere the delivery of",
  stopped: "stopped delivery of",
  missing: "deleted the subscription",
  denied: "took away the right to read",
};

export class Deliveries {
  constructor(place, { signedOut, changed }) {
    this.place = place;
    this.changed = changed;
    this.signedOut = signedOut;
    this.dialog = document.getElementById("confirm-stop");
    place.addEventListener("submit", (event) => {
      event.preventDefault();
      this.submitted(event.target);
    });
  }

  section(subscription) {
    return [...this.place.children].find((one) => one.dataset.subscription === subscription);
  }

  stateOf(data) {
    if (data.unreadable) return data.unreadable;
    if (!data.observed_running) return "stopped";
    return data.push_endpoint === this.place.dataset.pushEndpoint ? "receiving" : "elsewhere";
  }

  /** Show what the stream, or the answer to a button, says; a change is also told in a notice. */
  apply(data) {
    const section = this.section(data.subscription);
    if (!section) return;
    const state = this.stateOf(data);
    const changedAt = data.changed_at ?? "";
    const isNews = section.dataset.state !== state;
    // An event may have been on its way while the button's answer came.
    if (Date.parse(changedAt) < Date.parse(section.dataset.changedAt)) return;
    // The stream tells what was last seen; a page that could not read the subscription knows better.
    const isUnreadable = !(section.dataset.state in WORDS);
    if (isUnreadable && !(Date.parse(data.checked_at) > Date.parse(section.dataset.checkedAt))) return;
    section.dataset.state = state;
    section.dataset.changedAt = changedAt;
    section.querySelector(".state-word").textContent = WORDS[state] ?? UNREADABLE[state];
    this.describe(section.querySelector(".state-detail"), data);
    for (const form of section.querySelectorAll("form.switch")) {
      form.hidden = form.dataset.action === (state === "receiving" ? "start" : state === "stopped" ? "stop" : "");
    }
    if (!isNews) return;
    this.tell(data, state);
    this.changed();
  }

  describe(place, data) {
    place.replaceChildren();
    if (!data.changed_at) return;
    place.append(data.changed_by ? `by ${data.changed_by} ` : "changed elsewhere ");
    place.append(timeElement(data.changed_at, { short: true }));
  }

  tell(data, state) {
    const who = data.changed_by || "Somebody, outside of Subscope,";
    const when = data.changed_at ? ` at ${minutesText(new Date(data.changed_at))}` : "";
    notify(`${who} ${HAPPENED[state]} ${data.subscription}${when}.`);
  }

  async submitted(form) {
    const section = form.closest(".delivery");
    if (form.dataset.action === "stop" && !(await this.confirmed(section.dataset.subscription))) return;
    const button = form.querySelector("button");
    button.disabled = true;
    try {
      const data = await (await post(form.action, this.place.dataset.csrf)).json();
      this.apply(data);
      for (const warning of data.warnings) notify(warning, "warning");
    } catch (error) {
      if (error instanceof SignedOutError) this.signedOut();
      else notify(error.message, "problem");
    } finally {
      button.disabled = false;
      // Not the other button, which stands there now: the next key, meant for the page, would press it.
      const word = section.querySelector(".state-word");
      word.tabIndex = -1;
      if (form.hidden) word.focus();
    }
  }

  confirmed(subscription) {
    const { dialog } = this;
    dialog.querySelector(".about").textContent = subscription;
    dialog.returnValue = "no";
    dialog.showModal();
    return new Promise((resolve) => {
      dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true });
    });
  }
}
