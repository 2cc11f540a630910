// The button that pauses the view: the list then does not move, and new messages are counted.

import { find, query } from "../common/dom.js";

export class PauseButton {
  /** @param {{ onChange: () => void }} callbacks */
  constructor({ onChange }) {
    this.onChange = onChange;
    this.isPaused = false;
    // A page of older messages has no such button: it never changes.
    this.button = find("#pause", HTMLButtonElement);
  }

  start() {
    this.button?.addEventListener("click", () => this.toggle());
  }

  get exists() {
    return this.button !== null;
  }

  toggle() {
    this.set(!this.isPaused);
  }

  /** @param {boolean} isPaused */
  set(isPaused) {
    if (!this.button) return;
    this.isPaused = isPaused;
    this.button.setAttribute("aria-pressed", String(isPaused));
    query(".words", HTMLElement, this.button).textContent = isPaused ? "Resume view" : "Pause view";
    document.body.classList.toggle("view-paused", isPaused);
    this.onChange();
  }
}
