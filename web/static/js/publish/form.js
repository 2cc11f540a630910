// The publish form: adds and removes attribute rows, checks the size of a file, and checks the session before it submits,
// so that no input is lost.

import { closest, query } from "../common/dom.js";
import { getJson, SignedOutError } from "../common/requests.js";

const RESUBMIT_AFTER_MS = 3_000; // a double click publishes once; after a cancelled upload the form can be sent again

const form = query("#publish", HTMLFormElement);
const problem = query("#trouble", HTMLElement);
const rows = query("#pairs", HTMLElement);
const file = query("#file", HTMLInputElement);
let isSending = false;

/** @param {HTMLElement} row */
function emptied(row) {
  /** @type {NodeListOf<HTMLInputElement | HTMLTextAreaElement>} */
  const fields = row.querySelectorAll("input, textarea");
  for (const field of fields) field.value = "";
  return row;
}

query("#add-pair", HTMLElement).addEventListener("click", () => {
  const copy = rows.lastElementChild?.cloneNode(true);
  if (!(copy instanceof HTMLElement)) return;
  rows.append(emptied(copy));
  query("input", HTMLInputElement, copy).focus();
});

rows.addEventListener("click", (event) => {
  const button = closest(event, "[data-remove]", HTMLElement);
  const row = button && closest(event, ".pair", HTMLElement);
  if (!row) return;
  if (rows.children.length === 1) emptied(row);
  else row.remove();
  query("input", HTMLInputElement, rows).focus();
});

file.addEventListener("change", () => {
  const isTooLarge = (file.files?.[0]?.size ?? 0) > Number(file.dataset.most);
  file.setCustomValidity(isTooLarge ? "Pub/Sub accepts at most 10 MB." : "");
  file.reportValidity();
});

/** Replace the form token: the session may be newer than the form. */
async function refreshToken() {
  query('[name="csrf_token"]', HTMLInputElement, form).value = (await getJson("/api/v1/session")).csrf_token;
}

/** @param {unknown} error */
function showProblem(error) {
  problem.replaceChildren("Nothing was published. ");
  if (error instanceof SignedOutError) {
    const link = document.createElement("a");
    Object.assign(link, { href: "/login", target: "_blank", textContent: "Sign in in another tab" });
    problem.append("You are signed out. ", link, ", then press Publish again.");
  } else {
    problem.append("The server did not answer. Try again in a moment.");
  }
  problem.hidden = false;
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  if (isSending) return;
  isSending = true;
  problem.hidden = true;
  try {
    await refreshToken();
  } catch (error) {
    isSending = false;
    showProblem(error);
    return;
  }
  form.submit();
  setTimeout(() => {
    isSending = false;
  }, RESUBMIT_AFTER_MS);
});
