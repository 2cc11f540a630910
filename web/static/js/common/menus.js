// Menus: one is open at a time, and it closes as people expect, by Escape, a click elsewhere, or a choice.

const open = () => [...document.querySelectorAll("details.menu[open]")];

function closeOthers(kept) {
  for (const menu of open()) if (menu !== kept) menu.open = false;
}

document.addEventListener("click", (event) => {
  const target = event.target instanceof Element ? event.target : null;
  closeOthers(target?.closest("details.menu"));
  // A download leaves the page where it is.
  if (target?.closest(".menu-items a")) closeOthers(null);
});

// A press on a menu's plain words focuses the page around it, which leaves no menu.
document.addEventListener("focusin", ({ target }) => {
  for (const menu of open()) if (!menu.contains(target) && !target.contains(menu)) menu.open = false;
});

// Captured: Escape closes what is on top, and only that.
document.addEventListener(
  "keydown",
  (event) => {
    const [menu] = open();
    if (event.key !== "Escape" || !menu || document.querySelector("dialog[open]")) return;
    event.preventDefault();
    event.stopPropagation();
    menu.open = false;
    menu.querySelector("summary").focus();
  },
  { capture: true },
);
