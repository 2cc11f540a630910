// The entry of the list page.

import "../common/clear_notice_from_url.js";
import { ListPage } from "./list_page.js";

new ListPage().start();
