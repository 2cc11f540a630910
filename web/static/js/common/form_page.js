// Pages of tables and forms: times, and a dialog that asks before a form that cannot be undone.

import "./clear_notice_from_url.js";
import { find, query } from "./dom.js";
import { startTimes } from "./times.js";

startTimes();
const dialog = find("#confirm", HTMLDialogElement);

/** Make the field without which the server answers with a page that asks. */
function confirmedField() {
  return Object.assign(document.createElement("input"), { type: "hidden", name: "confirmed", value: "yes" });
}

/** @param {HTMLFormElement} form */
function submitConfirmed(form) {
  const field = confirmedField();
  form.append(field);
  form.requestSubmit();
  field.remove(); // Back may show the page as it was left
}

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!(form instanceof HTMLFormElement) || !dialog) return;
  if (!form.dataset.confirm || form.elements.namedItem("confirmed")) return;
  event.preventDefault();
  query("h2", HTMLElement, dialog).textContent = form.dataset.confirm;
  dialog.returnValue = "no";
  dialog.showModal();
  dialog.addEventListener("close", () => dialog.returnValue === "yes" && submitConfirmed(form), { once: true });
});
