// A message's own page.

import { showRememberedView, startDetail } from "./detail.js";
import { notify } from "./notices.js";
import { startTimes } from "./times.js";

const place = document.getElementById("reader");
const failed = (error) => notify(error.message, "problem");

startTimes();
startDetail(place, { failed });
showRememberedView(place).catch(failed);
