// The menu of columns: no more can be chosen than can be shown.

const form = document.getElementById("choose"); // none beside a filter that cannot be used
const boxes = [...(form?.querySelectorAll("input[type=checkbox]") ?? [])];

function bound() {
  const isFull = boxes.filter((box) => box.checked).length >= Number(form.dataset.most);
  for (const box of boxes) box.disabled = isFull && !box.checked;
}

form?.addEventListener("change", bound);
addEventListener("pageshow", () => form && bound()); // Back brings the boxes as they were left
