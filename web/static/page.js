// Pages of tables and forms: times, and a question before what cannot be undone.

import "./said.js";
import { startTimes } from "./times.js";

startTimes();
const dialog = document.getElementById("confirm");
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!dialog || !form.dataset.confirm || form.dataset.confirmed) return;
  event.preventDefault();
  dialog.querySelector("h2").textContent = form.dataset.confirm;
  dialog.returnValue = "no";
  dialog.showModal();
  dialog.addEventListener(
    "close",
    () => {
      if (dialog.returnValue !== "yes") return;
      form.dataset.confirmed = "yes";
      form.requestSubmit();
    },
    { once: true },
  );
});
