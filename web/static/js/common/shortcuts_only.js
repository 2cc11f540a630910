// The shortcuts that every page has: help and publish.

import { startShortcuts } from "./shortcuts.js";

startShortcuts();
