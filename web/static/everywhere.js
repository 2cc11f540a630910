// What every page has that does not bring keys of its own: help, publishing.

import { startKeys } from "./keys.js";

startKeys({});
