// What is common to a message's drawer and its own page: other views, copying.

import { notify } from "./notices.js";
import { localize } from "./times.js";
import { get } from "./requests.js";

/** Fetch a message's detail, in one of its views, into `place`. */
export async function loadDetail(place, address) {
  const url = new URL(address, location.href);
  url.searchParams.set("part", "detail");
  const html = await (await get(url, "text/html")).text();
  const template = document.createElement("template");
  template.innerHTML = html;
  localize(template.content);
  place.replaceChildren(template.content);
}

async function copy(text, what) {
  try {
    await navigator.clipboard.writeText(text);
    notify(`${what} copied.`);
  } catch {
    notify("The browser does not let this page copy.", "problem");
  }
}

/** Wire views and copy buttons below `place`. */
export function startDetail(place, { failed }) {
  place.addEventListener("click", (event) => {
    const target = event.target instanceof Element ? event.target : null;
    const view = target?.closest("a[data-view]");
    if (view && !event.ctrlKey && !event.metaKey) {
      event.preventDefault();
      const holder = view.closest(".detail").parentElement;
      loadDetail(holder, view.href)
        .then(() => holder.querySelector(`a[data-view="${view.dataset.view}"]`)?.focus())
        .catch(failed);
    } else if (target?.closest("[data-copy-payload]")) {
      copy(place.querySelector("pre.code").textContent, "Payload");
    } else if (target?.closest("[data-copy-link]")) {
      event.preventDefault();
      copy(new URL(target.closest("a").getAttribute("href"), location.href).href, "Link");
    }
  });
}
