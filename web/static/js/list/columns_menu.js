// The columns menu: at the limit, boxes that are not checked are disabled.

import { find, findAll } from "../common/dom.js";

const form = find("#choose", HTMLFormElement); // absent if the filter is invalid

/** @param {HTMLFormElement} form */
function limitChoice(form) {
  const boxes = findAll("input[type=checkbox]", HTMLInputElement, form);
  const isFull = boxes.filter((box) => box.checked).length >= Number(form.dataset.most);
  for (const box of boxes) box.disabled = isFull && !box.checked;
}

if (form) {
  form.addEventListener("change", () => limitChoice(form));
  addEventListener("pageshow", () => limitChoice(form)); // after Back, the boxes are as they were left
}
