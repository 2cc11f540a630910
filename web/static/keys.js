// The keyboard. A key means something only where it would not write or press something else.

const BUSY = "input, textarea, select, dialog, [contenteditable]";

export function startKeys({ pause, step, open, close, newest, help, search }) {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    const target = event.target instanceof Element ? event.target : document.body;
    if (target.closest(BUSY) || document.querySelector("dialog[open]")) return;
    const actions = { j: () => step(1), k: () => step(-1), Escape: close, ".": newest, "?": help, "/": search };
    // Space and Enter belong to the control that has the focus.
    if (!target.closest("button, summary, a")) actions.Enter = open;
    if (!target.closest("button, summary, pre")) actions[" "] = pause;
    const action = actions[event.key];
    if (!action) return;
    if (event.key !== "Escape") event.preventDefault();
    action();
  });
}
