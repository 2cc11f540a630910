// Runs before the page is painted: marks that there is JavaScript, and applies the colours a person chose.
(function () {
  "use strict";
  const root = document.documentElement;
  root.classList.add("js");
  function chosen() {
    try {
      return localStorage.getItem("subscope-theme") || "auto";
    } catch {
      return "auto";
    }
  }
  function apply(choice) {
    if (choice === "light" || choice === "dark") root.dataset.bsTheme = choice;
    else delete root.dataset.bsTheme;
    for (const button of document.querySelectorAll("[data-theme-choice]")) {
      button.setAttribute("aria-pressed", String(button.dataset.themeChoice === choice));
    }
  }
  apply(chosen());
  document.addEventListener("DOMContentLoaded", () => apply(chosen()));
  document.addEventListener("click", (event) => {
    const button = event.target instanceof Element && event.target.closest("[data-theme-choice]");
    if (!button) return;
    try {
      localStorage.setItem("subscope-theme", button.dataset.themeChoice);
    } catch {
      // Private windows may refuse storage: the choice then lasts as long as the page.
    }
    apply(button.dataset.themeChoice);
  });
})();
