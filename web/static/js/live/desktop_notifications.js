// Desktop notifications of arrivals while the page is not in view, one for each message however many tabs show it, and a
// count in the title. Others may see them on the screen: they show no text of a message unless the person chose that.

import { query } from "../common/dom.js";
import { saveChoice, savedChoice } from "../common/local_storage.js";
import { showToast } from "../common/toasts.js";
import { UnseenMessages } from "../core/unseen_messages.js";
import { parseRow, previewLink } from "../list/row.js";
import { NOTIFY_EVERY_MS, NotificationDuty } from "./notification_duty.js";

/** @typedef {import("../common/types.js").StreamMessage} StreamMessage */
/** @typedef {"off" | "count" | "text"} NotificationChoice */

const KEY = "subscope-notify"; // a NotificationChoice, for every tab of this browser
const COLLECT_MS = 1000;
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
   * @param {{ onChange: () => void, onOpen: (id: string) => void, onDuty: () => void }} callbacks
   */
  constructor(menu, { filter, subscription }, { onChange, onOpen, onDuty }) {
    this.menu = menu;
    this.tag = `subscope ${subscription} ${filter}`;
    this.onChange = onChange;
    this.onOpen = onOpen;
    this.onDuty = onDuty;
    this.duty = new NotificationDuty(this.tag, {
      onChange: onDuty,
      onNamed: (ids) => this.unseen.onNamedElsewhere(ids),
    });
    this.choice = savedNotificationChoice();
    this.notifiedAt = 0;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.timer = undefined;
    /** @type {Notification | null} */
    this.notification = null;
    this.count = 0; // for the title
    this.unseen = new UnseenMessages();
  }

  start() {
    if (!this.menu) return;
    for (const box of [this.wantedBox, this.textBox]) box.addEventListener("change", () => this.choose());
    addEventListener("storage", (event) => event.key === KEY && this.set(savedNotificationChoice()));
    addEventListener("focus", () => this.onView());
    this.duty.start();
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

  /** Whether this tab notifies of the list's messages while it is hidden. */
  get isOnDuty() {
    return this.isOn && this.duty.isHeld;
  }

  /**
   * Count a new message of the list.
   * @param {StreamMessage} message
   */
  add(message) {
    if (!this.isOn || !isOutOfView()) return;
    this.count += 1;
    if (this.isOnDuty) this.unseen.add(message);
    this.schedule();
  }

  /** Note that more messages arrived than the stream could send. */
  addUncounted() {
    if (!this.isOn || !isOutOfView()) return;
    if (this.isOnDuty) this.unseen.addUncounted();
    this.schedule();
  }

  /** Notify that notifications end, because the session ended. */
  notifySignedOut() {
    if (this.isOnDuty && isOutOfView())
      this.notify("You are signed out", "There will be no more notifications.", () => {});
  }

  schedule() {
    this.onChange();
    if (!this.unseen.hasNews) return;
    const waitMs = Math.max(COLLECT_MS, this.notifiedAt + NOTIFY_EVERY_MS - Date.now());
    this.timer ??= setTimeout(() => this.notifyArrivals(), waitMs);
  }

  async notifyArrivals() {
    const isTurn = await this.duty.takeTurn();
    this.timer = undefined;
    if (!isTurn) return;
    if (!this.isOn || !isOutOfView() || !this.unseen.hasNews) {
      this.duty.endTurn();
      return;
    }
    const { title, subscriptions, newest, ids } = this.unseen.name();
    const text = this.choice === "text" && newest ? `\n${textOf(newest)}` : "";
    this.duty.announce(ids);
    this.notify(title, subscriptions + text, () => newest && this.onOpen(newest.id));
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
    this.duty.endTurn();
    this.notification?.close();
    this.notification = null;
    this.count = 0;
    this.unseen.clear();
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
    this.onDuty();
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
