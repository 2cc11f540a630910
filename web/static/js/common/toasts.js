// Short notices of what happened, and a quiet voice for screen readers.

const STAY_MS = 8000;
const MOST = 4;
const ANNOUNCE_EVERY_MS = 5000;

let heldCount = 0;
let announcing = null;

/** Show a sentence for a while; `kind` is "plain", or "warning" and "problem", which stay until they are closed. */
export function notify(sentence, kind = "plain") {
  const place = document.getElementById("notices");
  if (!place) return;
  const notice = document.createElement("div");
  notice.className = `notice ${kind}`;
  const text = document.createElement("p");
  text.textContent = sentence;
  const close = document.createElement("button");
  close.type = "button";
  close.setAttribute("aria-label", "Dismiss");
  close.textContent = "✕";
  close.addEventListener("click", () => notice.remove());
  notice.append(text, close);
  place.append(notice);
  while (place.children.length > MOST) place.firstElementChild.remove();
  if (kind === "plain") setTimeout(() => notice.remove(), STAY_MS);
}

/** Say how many messages came, at most every few seconds: a burst must not talk without end. */
export function announceArrivals(count) {
  heldCount += count;
  if (announcing) return;
  announcing = setTimeout(() => {
    const place = document.getElementById("announcer");
    if (place) place.textContent = heldCount === 1 ? "1 new message" : `${heldCount} new messages`;
    heldCount = 0;
    announcing = null;
  }, ANNOUNCE_EVERY_MS);
}
