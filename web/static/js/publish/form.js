// The publish form: rows of attributes that come and go; what is typed leaves the page only when somebody is signed in,
// and a file only when it is not too large.

import { SignedOutError, get } from "../common/requests.js";

const form = document.getElementById("publish");
const trouble = document.getElementById("trouble");
const pairs = document.getElementById("pairs");
const file = document.getElementById("file");

function emptied(row) {
  for (const field of row.querySelectorAll("input, textarea")) field.value = "";
  return row;
}

document.getElementById("add-pair").addEventListener("click", () => {
  const row = emptied(pairs.lastElementChild.cloneNode(true));
  pairs.append(row);
  row.querySelector("input").focus();
});

pairs.addEventListener("click", (event) => {
  const row = event.target.closest("[data-remove]")?.closest(".pair");
  if (!row) return;
  if (pairs.children.length === 1) emptied(row);
  else row.remove();
  pairs.querySelector("input").focus();
});

file.addEventListener("change", () => {
  const tooLarge = file.files[0]?.size > Number(file.dataset.most);
  file.setCustomValidity(tooLarge ? "Pub/Sub takes at most 10 MB." : "");
  file.reportValidity();
});

/** Ask for the token that counts now: the sign-in may be another one than when the form was made. */
async function freshToken() {
  return (await (await get("/api/v1/session", "application/json")).json()).csrf_token;
}

function say(error) {
  const link = Object.assign(document.createElement("a"), { href: "/login", target: "_blank", textContent: "Sign in in another tab" });
  trouble.replaceChildren("Nothing was published. ");
  if (error instanceof SignedOutError) trouble.append("You are signed out. ", link, ", then press Publish again.");
  else trouble.append("The server does not answer. Try again in a moment.");
  trouble.hidden = false;
}

const AGAIN_MS = 3_000; // a double click sends once; who stops a long upload may begin anew
let isSending = false;

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  if (isSending) return;
  isSending = true;
  trouble.hidden = true;
  try {
    form.elements.csrf_token.value = await freshToken();
  } catch (error) {
    isSending = false;
    say(error);
    return;
  }
  form.submit();
  setTimeout(() => (isSending = false), AGAIN_MS);
});
