// Menus: at most one is open. Escape, a click elsewhere or a choice closes it.

import { findAll, query } from "./dom.js";

const openMenus = () => findAll("details.menu[open]", HTMLDetailsElement);

/** @param {Element | null} kept */
function closeMenus(kept) {
  for (const menu of openMenus()) if (menu !== kept) menu.open = false;
}

document.addEventListener("click", (event) => {
  const target = event.target instanceof Element ? event.target : null;
  closeMenus(target?.closest("details.menu") ?? null);
  // A download does not leave the page, so the menu must be closed here.
  if (target?.closest(".menu-items a")) closeMenus(null);
});

// A press on plain text inside a menu focuses an element around the menu: that does not close it.
document.addEventListener("focusin", ({ target }) => {
  if (!(target instanceof Node)) return;
  for (const menu of openMenus()) if (!menu.contains(target) && !target.contains(menu)) menu.open = false;
});

// In the capture phase, so that Escape closes only the menu and not the message behind it.
document.addEventListener(
  "keydown",
  (event) => {
    const [menu] = openMenus();
    if (event.key !== "Escape" || !menu || document.querySelector("dialog[open]")) return;
    event.preventDefault();
    event.stopPropagation();
    menu.open = false;
    query("summary", HTMLElement, menu).focus();
  },
  { capture: true },
);
