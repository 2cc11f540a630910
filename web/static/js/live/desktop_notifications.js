// Desktop notifications of arrivals while the page is not in view, at most one every few seconds, and a count in the
// title. Others may see them on the screen: they show no text of a message unless the person chose that.

import { query } from "../common/dom.js";
import { saveChoice, savedChoice } from "../common/local_storage.js";
import { showToast } from "../common/toasts.js";
import { countText } from "../core/time_text.js";
import { parseRow, previewLink } from "../list/row.js";

/** @typedef {import("../common/types.js").StreamMessage} StreamMessage */
/** @typedef {"off" | "count" | "text"} NotificationChoice */

const KEY = "subscope-notify"; // a NotificationChoice, for every tab of this browser
const COLLECT_MS = 1000;
const NOTIFY_EVERY_MS = 5000;
const MAX_NAMES = 3;
const MAX_CHARACTERS = 140;

const isOutOfView = () => document.hidden || !document.hasFocus();
const isAllowed = () => "Notification" in window && Notification.permission === "granted";

/** @returns {NotificationChoice} */
function savedNotificationChoice() {
  const choice = savedChoice(KEY);
  return choice === "count" || choice === "text" ? choice : "off";
}

/**
 * Return a message's text as its row shows it.
 * @param {StreamMessage} message
 */
function textOf(message) {
  const row = parseRow(message.html);
  const text = ((row && previewLink(row).textContent) ?? "").replace(/\s+/g, " ").trim();
  return text.length > MAX_CHARACTERS ? `${text.slice(0, MAX_CHARACTERS)}…` : text;
}

export class DesktopNotifications {
  /**
   * @param {HTMLElement | null} menu absent from a page of older messages
   * @param {{ filter: string, subscription: string }} list one notification per list: a new one replaces the last
   * @param {{ onChange: () => void, onOpen: (id: string) => void }} callbacks
   */
  constructor(menu, { filter, subscription }, { onChange, onOpen }) {
    this.menu = menu;
    this.tag = `subscope ${subscription} ${filter}`;
    this.onChange = onChange;
    this.onOpen = onOpen;
    this.choice = savedNotificationChoice();
    this.notifiedAt = 0;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.timer = undefined;
    /** @type {Notification | null} */
    this.notification = null;
    this.count = 0;
    this.isExact = true;
    /** @type {StreamMessage | null} */
    this.newest = null;
    /** @type {Set<string>} */
    this.subscriptions = new Set();
  }

  start() {
    if (!this.menu) return;
    for (const box of [this.wantedBox, this.textBox]) box.addEventListener("change", () => this.choose());
    addEventListener("storage", (event) => event.key === KEY && this.set(savedNotificationChoice()));
    addEventListener("focus", () => this.onView());
    document.addEventListener("visibilitychange", () => this.onView());
    this.updateMenu();
  }

  get wantedBox() {
    return query("#notify-wanted", HTMLInputElement);
  }

  get textBox() {
    return query("#notify-text", HTMLInputElement);
  }

  get isOn() {
    return Boolean(this.menu) && this.choice !== "off" && isAllowed();
  }

  /**
   * Count a new message of the list.
   * @param {StreamMessage} message
   */
  add(message) {
    if (!this.isOn || !isOutOfView()) return;
    this.count += 1;
    this.newest = message;
    this.subscriptions.add(message.subscription);
    this.schedule();
  }

  /** Note that more messages arrived than the stream could send. */
  addUncounted() {
    if (!this.isOn || !isOutOfView()) return;
    this.isExact = false;
    this.schedule();
  }

  /** Notify that notifications end, because the session ended. */
  notifySignedOut() {
    if (this.isOn && isOutOfView()) this.notify("You are signed out", "There will be no more notifications.", () => {});
  }

  schedule() {
    this.onChange();
    const waitMs = Math.max(COLLECT_MS, this.notifiedAt + NOTIFY_EVERY_MS - Date.now());
    this.timer ??= setTimeout(() => this.notifyArrivals(), waitMs);
  }

  notifyArrivals() {
    this.timer = undefined;
    if (!this.isOn || !isOutOfView()) return;
    const { newest } = this;
    const title = this.isExact ? countText(this.count, "new message") : "Many new messages";
    const names = [...this.subscriptions];
    const shown = names.slice(0, MAX_NAMES).join(", ") + (names.length > MAX_NAMES ? ", …" : "");
    const text = this.choice === "text" && newest ? `\n${textOf(newest)}` : "";
    this.notify(title, shown + text, () => newest && this.onOpen(newest.id));
  }

  /**
   * @param {string} title
   * @param {string} body
   * @param {() => void} onClick
   */
  notify(title, body, onClick) {
    this.notifiedAt = Date.now();
    const options = { body, tag: this.tag, renotify: true, icon: this.menu?.dataset.icon };
    try {
      this.notification = new Notification(title, options);
    } catch {
      // Some browsers of phones notify only through a service worker.
      this.set("off");
      showToast("This browser cannot notify from a page.", "warning");
      return;
    }
    const { notification } = this;
    notification.addEventListener("click", (event) => {
      event.preventDefault();
      notification.close();
      focus();
      onClick();
    });
  }

  /** Close the notification and count from zero: the page is in view. */
  onView() {
    if (isOutOfView()) return;
    clearTimeout(this.timer);
    this.timer = undefined;
    this.notification?.close();
    this.notification = null;
    this.count = 0;
    this.isExact = true;
    this.newest = null;
    this.subscriptions.clear();
    this.onChange();
  }

  /** Apply the menu's boxes. A browser asks for permission only after a click. */
  async choose() {
    if (!this.wantedBox.checked) {
      this.set("off");
    } else if ((await Notification.requestPermission()) === "granted") {
      this.set(this.textBox.checked ? "text" : "count");
    } else {
      this.set("off");
      showToast("Your browser does not let this site notify you. Its settings for the site can allow it.", "warning");
    }
  }

  /** @param {NotificationChoice} choice */
  set(choice) {
    this.choice = choice;
    saveChoice(KEY, choice);
    this.updateMenu();
  }

  updateMenu() {
    if (!this.menu) return;
    const isSupported = "Notification" in window;
    this.wantedBox.disabled = !isSupported;
    this.wantedBox.checked = this.isOn;
    this.textBox.disabled = !this.isOn;
    this.textBox.checked = this.choice === "text";
    query(".default-mark", HTMLElement, this.menu).hidden = !this.isOn;
    query("#notify-never", HTMLElement, this.menu).hidden = isSupported;
  }
}
