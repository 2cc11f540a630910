// A message's own page.

import { copy } from "./copy.js";
import { showRememberedView, startDetail } from "./detail.js";
import { startKeys } from "../common/shortcuts.js";
import { notify } from "../common/toasts.js";
import { startTimes } from "../common/times.js";

const place = document.getElementById("reader");
const address = location.pathname;
const failed = (error) => notify(error.message, "problem");

startTimes();
startKeys({
  close: () => location.assign(document.querySelector("a.back").href),
  copy: () => copy(place.querySelector("[data-copy-link]").href, "The link"),
});
startDetail(place, { failed });
showRememberedView(place).catch(failed);
// Reloaded beside its list, the message takes the list's place in the history, too: Back changes the address alone.
addEventListener("popstate", () => location.pathname !== address && location.reload());
