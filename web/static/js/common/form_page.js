// Pages of tables and forms: times, and a question before what cannot be undone.

import "./clear_notice_from_url.js";
import { startTimes } from "./times.js";

startTimes();
const dialog = document.getElementById("confirm");

/** The field without which the server asks by a page of its own. */
function answer() {
  return Object.assign(document.createElement("input"), { type: "hidden", name: "confirmed", value: "yes" });
}

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!dialog || !form.dataset.confirm || form.elements.confirmed) return;
  event.preventDefault();
  dialog.querySelector("h2").textContent = form.dataset.confirm;
  dialog.returnValue = "no";
  dialog.showModal();
  dialog.addEventListener(
    "close",
    () => {
      if (dialog.returnValue !== "yes") return;
      const field = answer();
      form.append(field);
      form.requestSubmit();
      field.remove(); // Back may bring the page as it was left
    },
    { once: true },
  );
});
