// A message's own page.

import { copy } from "./copy.js";
import { showRememberedView, startDetail } from "./detail.js";
import { startKeys } from "./keys.js";
import { notify } from "./notices.js";
import { startTimes } from "./times.js";

const place = document.getElementById("reader");
const failed = (error) => notify(error.message, "problem");

startTimes();
startKeys({
  close: () => location.assign(document.querySelector("a.back").href),
  copy: () => copy(place.querySelector("[data-copy-link]").href, "The link"),
});
startDetail(place, { failed });
showRememberedView(place).catch(failed);
