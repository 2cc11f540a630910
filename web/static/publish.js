// The publish form: rows of attributes that come and go, and a file that is too large is told before it is sent.

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
