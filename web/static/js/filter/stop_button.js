// A running search and the button that stops it: the request is aborted, and the server ends when its client has left.

// A search that is quicker than this needs no button.
const SHOW_AFTER_MS = 400;

export class StopButton {
  /**
   * @param {HTMLElement} container where the button appears, at the end
   * @param {() => void} onStop
   */
  constructor(container, onStop) {
    this.container = container;
    this.button = document.createElement("button");
    this.button.type = "button";
    this.button.className = "stop-search";
    this.button.textContent = "Stop search";
    this.button.addEventListener("click", () => {
      this.hide();
      onStop();
    });
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.timer = undefined;
  }

  showSoon() {
    this.hide();
    this.timer = setTimeout(() => this.container.append(this.button), SHOW_AFTER_MS);
  }

  hide() {
    clearTimeout(this.timer);
    this.button.remove();
  }
}

export class RunningSearch {
  constructor() {
    /** Whether the reader stopped the last search; the next one begins with a click. */
    this.wasStopped = false;
    /** @type {StopButton | null} */
    this.stopButton = null;
  }

  /**
   * Begin a search, and return the signal that aborts its request. One that may be long gets the button.
   * @param {HTMLElement} container
   * @param {{ isLong: boolean }} options
   */
  start(container, { isLong }) {
    const controller = new AbortController();
    this.wasStopped = false;
    this.stopButton = new StopButton(container, () => {
      this.wasStopped = true;
      controller.abort();
    });
    if (isLong) this.stopButton.showSoon();
    return controller.signal;
  }

  end() {
    this.stopButton?.hide();
  }
}
