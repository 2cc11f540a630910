// Runs before the first paint, so it is no module: marks that JavaScript works, and applies the chosen colours.
(() => {
  const KEY = "subscope-theme";
  const root = document.documentElement;
  root.classList.add("js");

  function savedTheme() {
    try {
      return localStorage.getItem(KEY) || "auto";
    } catch {
      return "auto";
    }
  }

  /** @param {string} theme */
  function saveTheme(theme) {
    try {
      localStorage.setItem(KEY, theme);
    } catch {
      // A private window may deny storage: the choice then lasts until the page is closed.
    }
  }

  /** @returns {NodeListOf<HTMLButtonElement>} */
  const buttons = () => document.querySelectorAll("[data-theme-choice]");

  /** @param {string} theme */
  function apply(theme) {
    if (theme === "light" || theme === "dark") root.dataset.bsTheme = theme;
    else delete root.dataset.bsTheme;
    for (const button of buttons()) button.setAttribute("aria-pressed", String(button.dataset.themeChoice === theme));
  }

  apply(savedTheme());
  document.addEventListener("DOMContentLoaded", () => apply(savedTheme()));
  document.addEventListener("click", (event) => {
    const button = event.target instanceof Element ? event.target.closest("[data-theme-choice]") : null;
    if (!(button instanceof HTMLElement)) return;
    const theme = button.dataset.themeChoice ?? "auto";
    saveTheme(theme);
    apply(theme);
  });
})();
