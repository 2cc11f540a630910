// What every page has that does not bring keys of its own: help, publishing.

import { startKeys } from "./shortcuts.js";

startKeys({});
