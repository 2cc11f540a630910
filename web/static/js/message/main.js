// A message's own page.

import { query } from "../common/dom.js";
import { sentenceOf } from "../common/requests.js";
import { startShortcuts } from "../common/shortcuts.js";
import { startTimes } from "../common/times.js";
import { showToast } from "../common/toasts.js";
import { copy } from "./copy.js";
import { messageLink, showRememberedView, startDetail } from "./detail.js";

const container = query("#reader", HTMLElement);
const address = location.pathname;
/** @param {unknown} error */
const onError = (error) => showToast(sentenceOf(error), "problem");

startTimes();
startShortcuts({
  close: () => location.assign(query("a.back", HTMLAnchorElement).href),
  copy: () => copy(messageLink(container), "The link"),
});
startDetail(container, { onError });
showRememberedView(container).catch(onError);
// After a reload of an open drawer this page has the list's history entry, so Back only changes the address.
addEventListener("popstate", () => location.pathname !== address && location.reload());
