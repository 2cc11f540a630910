// The entry of the panel of fields; the page has none while its filter is invalid.

import { find } from "../common/dom.js";
import { rowsElement } from "../list/shown_list.js";
import { FacetPanel } from "./panel.js";

if (find("#facets-button", HTMLButtonElement)) new FacetPanel(rowsElement()).start();
