// A message's own page.

import { startDetail } from "./detail.js";
import { notify } from "./notices.js";
import { startTimes } from "./times.js";

startTimes();
startDetail(document.getElementById("main"), { failed: (error) => notify(error.message, "problem") });
