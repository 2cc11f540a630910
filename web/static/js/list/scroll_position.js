// Back leads to where the reader was, and so does a reload: beside its address a list keeps how deep it is and which row
// stands where. The browser forgets both, for it may not keep pages that hold messages.

import { compare } from "./rows.js";

const REST_MS = 300;
const AT_TOP_PIXELS = 4;
// With the first page these are as many rows as a list keeps while messages arrive; who was deeper begins at the newest.
const MOST_PAGES = 9;
const LEAVING = ["wheel", "touchmove", "pointerdown", "keydown"];

/** Where the reader is; null at the top. */
function placeOf(list, body) {
  const edge = Math.max(0, list.getBoundingClientRect().top);
  const row = [...body.rows].find((one) => one.getBoundingClientRect().bottom > edge);
  if (!row || Math.max(scrollY, list.scrollTop) <= AT_TOP_PIXELS) return null;
  return { cursor: row.dataset.cursor, top: row.getBoundingClientRect().top, older: body.dataset.older };
}

/** Keep it as long as the address is the list's own. */
function keep(list, body) {
  if (history.state?.drawer) return;
  history.replaceState({ ...history.state, place: placeOf(list, body) }, "");
}

function startKeeping(list, body) {
  let timer = null;
  const now = () => {
    clearTimeout(timer);
    timer = null;
    keep(list, body);
  };
  // Only when the list rests: some browsers take no more than a hundred changes in half a minute.
  const soon = () => {
    clearTimeout(timer);
    timer = setTimeout(now, REST_MS);
  };
  document.addEventListener("scroll", soon, { capture: true, passive: true });
  addEventListener("popstate", soon);
  // What leads away comes by a click or a key.
  document.addEventListener("click", now, { capture: true });
  document.addEventListener("keydown", () => timer && now(), { capture: true });
}

/** Load what was there, page by page, until it is or `isLeft()`. */
async function deepen(older, body, pages, isLeft) {
  const isThere = () => !body.dataset.older || (older && compare(body.dataset.older, older) <= 0);
  for (let page = 0; page < MOST_PAGES && !isThere() && !isLeft(); page += 1) {
    const before = body.dataset.older;
    await pages.more();
    if (body.dataset.older === before) return;
  }
}

/** Put the row, or the next older one, where it stood. Whichever scrolls does. */
function stand({ cursor, top }, list, body) {
  const row = [...body.rows].find((one) => compare(one.dataset.cursor, cursor) <= 0);
  if (!row) return;
  list.scrollBy(0, row.getBoundingClientRect().top - top);
  scrollBy(0, row.getBoundingClientRect().top - top);
}

async function goBack(place, list, body, pages) {
  let isLeft = false;
  const leave = () => (isLeft = true);
  for (const name of LEAVING) addEventListener(name, leave, { passive: true });
  history.scrollRestoration = "manual"; // the browser would scroll to pixels where other rows are by now
  await deepen(place.older, body, pages, () => isLeft);
  if (!isLeft) stand(place, list, body);
  for (const name of LEAVING) removeEventListener(name, leave);
  if (document.readyState !== "complete") await new Promise((resolve) => addEventListener("load", resolve, { once: true }));
  history.scrollRestoration = "auto";
}

/** `list` is what scrolls on a wide page, `body` has its rows, `pages` loads older ones. */
export async function startPlace(list, body, pages) {
  const place = history.state?.place;
  if (place) await goBack(place, list, body, pages);
  startKeeping(list, body);
}
