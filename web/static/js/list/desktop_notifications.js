// Word of what arrives while nobody looks at the page: a notification, at most one every few seconds, and a count in the
// title. A browser's notifications stay where others may read them: they name nothing of a message unless asked to.

import { keep, remembered } from "../common/local_storage.js";
import { notify } from "../common/toasts.js";

const KEY = "subscope-notify"; // "off", "count" or "text": this browser's choice, in every tab
const TOGETHER_MS = 1000;
const EVERY_MS = 5000;
const MOST_NAMES = 3;
const MOST_CHARACTERS = 140;

const isAway = () => document.hidden || !document.hasFocus();
const isAllowed = () => "Notification" in window && Notification.permission === "granted";
const stored = () => remembered(KEY) ?? "off";

/** What the list says of a message, from its row. */
function textOf(item) {
  const template = document.createElement("template");
  template.innerHTML = item.html;
  const text = template.content.querySelector(".preview").textContent.replace(/\s+/g, " ").trim();
  return text.length > MOST_CHARACTERS ? `${text.slice(0, MOST_CHARACTERS)}…` : text;
}

export class Alerts {
  /** `place` is the menu; `changed()` is called when the count is another, `open(id)` when a person asks for a message. */
  constructor(place, { q, subscription }, { changed, open }) {
    this.place = place;
    this.tag = `subscope ${subscription} ${q}`;
    this.changed = changed;
    this.open = open;
    this.choice = stored();
    this.told = null;
    this.toldAt = 0;
    this.timer = null;
    this.forget();
    if (!place) return;
    this.wanted = place.querySelector("#notify-wanted");
    this.withText = place.querySelector("#notify-text");
    this.wanted.addEventListener("change", () => this.choose());
    this.withText.addEventListener("change", () => this.choose());
    addEventListener("storage", (event) => event.key === KEY && this.set(stored()));
    addEventListener("focus", () => this.seen());
    document.addEventListener("visibilitychange", () => this.seen());
    this.show();
  }

  get isOn() {
    return Boolean(this.place) && this.choice !== "off" && isAllowed();
  }

  /** A new message that the list would show. */
  arrived(item) {
    if (!this.isOn || !isAway()) return;
    this.count += 1;
    this.newest = item;
    this.names.add(item.subscription);
    this.soon();
  }

  /** More than the stream could send: nobody counted them. */
  arrivedUncounted() {
    if (!this.isOn || !isAway()) return;
    this.isExact = false;
    this.soon();
  }

  /** Nothing more will be told, which somebody who waits for it should know. */
  signedOut() {
    if (this.isOn && isAway()) this.raise("You are signed out", "Nothing that arrives is told any more.", () => {});
  }

  soon() {
    this.changed();
    this.timer ??= setTimeout(() => this.tell(), Math.max(TOGETHER_MS, this.toldAt + EVERY_MS - Date.now()));
  }

  tell() {
    this.timer = null;
    if (!this.isOn || !isAway()) return;
    const { newest } = this;
    const many = this.count === 1 ? "1 new message" : `${this.count.toLocaleString("en")} new messages`;
    const names = [...this.names].slice(0, MOST_NAMES).join(", ") + (this.names.size > MOST_NAMES ? ", …" : "");
    const text = this.choice === "text" && newest ? `\n${textOf(newest)}` : "";
    this.raise(this.isExact ? many : "Many new messages", names + text, () => newest && this.open(newest.id));
  }

  raise(title, body, clicked) {
    this.toldAt = Date.now();
    try {
      this.told = new Notification(title, { body, tag: this.tag, renotify: true, icon: this.place.dataset.icon });
    } catch {
      // Some phones' browsers notify through a service worker alone.
      this.set("off");
      notify("This browser cannot notify from a page.", "warning");
      return;
    }
    this.told.addEventListener("click", (event) => {
      event.preventDefault();
      event.target.close();
      focus();
      clicked();
    });
  }

  seen() {
    if (isAway()) return;
    clearTimeout(this.timer);
    this.timer = null;
    this.told?.close();
    this.forget();
    this.changed();
  }

  forget() {
    this.told = null;
    this.count = 0;
    this.isExact = true;
    this.newest = null;
    this.names = new Set();
  }

  /** The menu's boxes were clicked: a browser asks for permission only then. */
  async choose() {
    if (!this.wanted.checked) this.set("off");
    else if ((await Notification.requestPermission()) === "granted") this.set(this.withText.checked ? "text" : "count");
    else {
      this.set("off");
      notify("Your browser does not let this site notify you. Its settings for the site can allow it.", "warning");
    }
  }

  set(choice) {
    this.choice = choice;
    keep(KEY, choice);
    this.show();
  }

  show() {
    const isSupported = "Notification" in window;
    this.wanted.disabled = !isSupported;
    this.wanted.checked = this.isOn;
    this.withText.disabled = !this.isOn;
    this.withText.checked = this.choice === "text";
    this.place.querySelector(".default-mark").hidden = !this.isOn;
    this.place.querySelector("#notify-never").hidden = isSupported;
  }
}
