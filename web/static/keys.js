// The keyboard. The page's own table of keys (web/help.py) says which key means what; a key means something only where
// it would not write or press something else.

const BUSY = "input, textarea, select, dialog, [contenteditable]";

/** What the table of this page says: key -> action. */
function readTable() {
  return new Map([...document.querySelectorAll("#keys [data-key]")].map((one) => [one.dataset.key, one.dataset.action]));
}

export function showKeys() {
  document.getElementById("keys").showModal();
}

function publish() {
  location.assign(document.getElementById("publish-link").href);
}

/** `actions` are this page's own, by the table's names; publishing and help are every page's. */
export function startKeys(actions) {
  const table = readTable();
  const all = { help: showKeys, publish, ...actions };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    const target = event.target instanceof Element ? event.target : document.body;
    if (target.closest(BUSY) || document.querySelector("dialog[open]")) return;
    // Space and Enter belong to the control that has the focus.
    if (event.key === "Enter" && target.closest("button, summary, a")) return;
    if (event.key === " " && target.closest("button, summary, pre")) return;
    const action = all[table.get(event.key)];
    if (!action) return;
    if (event.key !== "Escape") event.preventDefault();
    action();
  });
}
