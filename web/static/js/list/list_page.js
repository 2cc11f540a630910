// The list page: creates its parts and connects them. The state is here and in data attributes, never in a label.

import { find, query } from "../common/dom.js";
import { SignedOutError, sentenceOf } from "../common/requests.js";
import { showShortcuts, startShortcuts } from "../common/shortcuts.js";
import { minutesText, startTimes } from "../common/times.js";
import { announceArrivals, showToast } from "../common/toasts.js";
import { compareCursors } from "../core/cursors.js";
import { countText } from "../core/time_text.js";
import { focusFilter, startFilter } from "../filter/filter_box.js";
import { showConnection, showSignedOut } from "../live/connection_status.js";
import { DeliveryStrip } from "../live/delivery_strip.js";
import { DesktopNotifications } from "../live/desktop_notifications.js";
import { EventStream } from "../live/event_stream.js";
import { Resync } from "../live/resync.js";
import { SkippedBanner } from "../live/skipped_banner.js";
import { showCounts } from "./counters.js";
import { Drawer } from "./drawer.js";
import { startEmptyState } from "./empty_state.js";
import { OlderPages } from "./older_pages.js";
import { PauseButton } from "./pause_button.js";
import { Rows } from "./rows.js";
import { ScrollPosition } from "./scroll_position.js";
import { rowsElement, shownList } from "./shown_list.js";
import { Timeline } from "./timeline.js";

const OPEN_RETRY_MS = 50;
const MAX_OPEN_RETRIES = 10;

export class ListPage {
  constructor() {
    this.body = rowsElement();
    this.strip = query("#deliveries", HTMLElement);
    const skipped = find("#skipped", HTMLElement);
    const onError = this.onError.bind(this);
    const { live = "" } = this.body.dataset;

    this.pauseButton = new PauseButton({ onChange: () => this.onRelease() });
    this.timeline = new Timeline();
    this.skippedBanner = skipped && new SkippedBanner(skipped);
    this.notifications = new DesktopNotifications(find("#notify", HTMLElement), shownList(), {
      onChange: () => this.update(),
      onOpen: (id) => this.openMessage(id),
      onDuty: () => this.stream.onDuty(),
    });
    this.rows = new Rows(this.body, this.rowsCallbacks());
    this.olderPages = new OlderPages(this.rows, query("#older", HTMLElement), { onError });
    this.scrollPosition = new ScrollPosition(query(".list", HTMLElement), this.body, this.olderPages);
    this.drawer = new Drawer(query("#drawer", HTMLElement), this.body, { onError, onChange: () => this.onRelease() });
    this.resync = new Resync(this.resyncCallbacks());
    this.deliveryStrip = new DeliveryStrip(this.strip, { onError, onChange: () => this.timeline.updateSoon() });
    this.stream = new EventStream(live, this.streamCallbacks());
  }

  /** @returns {import("./rows.js").RowsCallbacks} */
  rowsCallbacks() {
    return {
      isHeld: () => this.isHeld || this.resync.isRunning,
      onChange: () => this.update(),
      onShown: announceArrivals,
      onTrimmed: (cursor) => this.olderPages.setOlder(cursor),
      onSkipped: (messages) => this.skippedBanner?.add(messages),
    };
  }

  /** @returns {import("../live/resync.js").ResyncCallbacks} */
  resyncCallbacks() {
    return {
      isHeld: () => this.isHeld,
      newest: () => this.rows.newest,
      reload: (from) => this.olderPages.reload(from),
      onPostponed: () => this.onResyncPostponed(),
      onReloaded: (page, from, since) => this.onReloaded(page, from, since),
      onFinished: () => this.showWaiting(),
      onError: (error) => this.onError(error),
    };
  }

  /** @returns {import("../live/event_stream.js").StreamCallbacks} */
  streamCallbacks() {
    return {
      onMessage: (message) => !this.isOlderPage && this.onMessage(message),
      onGone: (event) => this.isOlderPage || this.rows.remove(event),
      onDelivery: (event) => this.deliveryStrip.apply(event),
      onResync: (since) => this.isOlderPage || this.resync.request(since),
      onCaughtUp: (count, since) => this.onCaughtUp(count, since),
      onState: (state, since) => this.onConnection(state, since),
      staysConnected: () => this.notifications.isOnDuty,
    };
  }

  start() {
    startTimes();
    this.startShortcuts();
    startFilter({ onStopped: () => this.stream.connect() });
    startEmptyState(this.strip);
    this.timeline.start();
    this.drawer.start();
    this.olderPages.start();
    this.notifications.start();
    this.scrollPosition.start();
    this.listen();
    this.stream.start();
    this.update();
  }

  startShortcuts() {
    startShortcuts({
      pause: () => this.pauseButton.toggle(),
      next: () => this.drawer.step(1),
      previous: () => this.drawer.step(-1),
      open: () => this.drawer.openSelected(),
      close: () => this.drawer.close(),
      newest: () => this.goToNewest(),
      copy: () => this.drawer.copyLink(),
      search: focusFilter,
    });
  }

  listen() {
    this.pauseButton.start();
    find("#arrivals", HTMLButtonElement)?.addEventListener("click", () => this.goToNewest());
    query("#keys-button", HTMLButtonElement).addEventListener("click", showShortcuts);
    // Only after the event is the new focus known.
    this.body.addEventListener("focusout", () => setTimeout(() => this.showWaiting()));
    document.addEventListener("scroll", () => this.onScroll(), { capture: true, passive: true });
  }

  /** A page of older messages takes nothing from the stream but the state of delivery. */
  get isOlderPage() {
    return !this.pauseButton.exists;
  }

  /** Whether the list must not move: it is being read, or paused. */
  get isHeld() {
    return this.pauseButton.isPaused || !this.scrollPosition.isAtTop || this.drawer.isOpen || this.drawer.holdsFocus;
  }

  onScroll() {
    if (this.scrollPosition.isAtTop) this.showWaiting();
    if (this.rows.waitingCount) this.update();
  }

  /** Show the counts. */
  update() {
    const { isHeld } = this;
    const { isPaused } = this.pauseButton;
    const waiting = isHeld ? this.rows.waitingCount : 0;
    const unseen = Math.max(this.notifications.count, waiting);
    const isUncounted = this.resync.isNeeded;
    showCounts({ rows: this.rows.count, waiting, unseen, isUncounted, isHeld, isPaused });
  }

  goToNewest() {
    if (this.isOlderPage) {
      location.assign(query("a.newest", HTMLAnchorElement).href);
      return;
    }
    this.drawer.close();
    const focused = document.activeElement;
    if (focused instanceof HTMLElement && this.body.contains(focused)) focused.blur();
    this.scrollPosition.scrollToTop();
    this.pauseButton.set(false);
  }

  /** The view was paused or resumed, or the drawer opened or closed: the list may move again. */
  onRelease() {
    this.showWaiting();
    this.update();
  }

  onResyncPostponed() {
    this.notifications.addUncounted();
    this.update();
  }

  /** Show what waited while the list was held. */
  showWaiting() {
    if (!this.resync.resume()) this.rows.schedule();
  }

  /**
   * @param {import("../common/types.js").ConnectionState} state
   * @param {Date} since
   */
  onConnection(state, since) {
    showConnection(state, since);
    if (state !== "signed-out") return;
    showSignedOut();
    this.notifications.notifySignedOut();
  }

  /** @param {unknown} error */
  onError(error) {
    if (error instanceof SignedOutError) showSignedOut();
    else showToast(sentenceOf(error), "problem");
  }

  /**
   * Take a message of the stream. Return whether it is new.
   * @param {import("../common/types.js").StreamMessage} message
   */
  onMessage(message) {
    const isNew = this.rows.add(message);
    if (isNew) {
      this.notifications.add(message);
      this.timeline.onArrival();
    }
    return isNew;
  }

  /**
   * @param {number} count
   * @param {Date} since
   */
  onCaughtUp(count, since) {
    this.timeline.updateSoon();
    if (!count) return;
    showToast(`Caught up: ${countText(count, "message")} came while this page was away, since ${minutesText(since)}.`);
  }

  /**
   * Count what arrived after `from`, and show whether some of it is missing.
   * @param {import("../live/resync.js").ReloadedPage} page
   * @param {string} from
   * @param {Date | null} since
   */
  onReloaded(page, from, since) {
    if (page.newest) this.stream.continueFrom(page.newest);
    const newRows = page.rows.filter(({ cursor }) => !from || compareCursors(cursor, from) > 0);
    for (const row of newRows) this.notifications.add(row);
    if (page.isWhole || !from) {
      if (since) this.onCaughtUp(newRows.length, since);
      return;
    }
    this.notifications.addUncounted();
    this.skippedBanner?.addUncounted(from, page.older ?? from);
  }

  /**
   * Open the message of a notification. Its row may appear a little later, or never.
   * @param {string} id
   */
  openMessage(id, retries = MAX_OPEN_RETRIES) {
    const row = this.rows.byId.get(id);
    if (row) this.drawer.open(row);
    else if (retries) setTimeout(() => this.openMessage(id, retries - 1), OPEN_RETRY_MS);
    else location.assign(`/messages/${id}`);
  }
}
