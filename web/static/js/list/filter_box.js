// The filter: the box, and links that add a term to it or leave out what has it. The address bar holds it all.

const box = () => document.getElementById("q");

export function focusSearch() {
  box()?.focus();
  box()?.select();
}

/** What the shown list says of itself: its columns stay, and everything must be asked for when there is a default. */
const shown = () => document.getElementById("rows").dataset;

/** The list filtered by `q`, in a subscription, from a cursor on, with the columns shown; all of them may be empty. */
export function listAddress(q, subscription, before = "") {
  const query = new URLSearchParams();
  if (q) query.set("q", q);
  if (before) query.set("before", before);
  if (subscription) query.set("subscription", subscription);
  if (shown().columns) query.set("columns", shown().columns);
  if (!query.size && "hasDefault" in shown()) query.set("q", "");
  return query.size ? `/messages?${query}` : "/messages";
}

/** A link's own filter is one term. */
function termOf(link) {
  return new URL(link.href).searchParams.get("q") ?? "";
}

/** A filter's words, as the server reads them: white space ends one, but not within quotes. */
function wordsOf(q) {
  return q.match(/(?:"(?:[^"\\]|\\[^])*"?|[^\s"])+/g) ?? [];
}

/** A filter's terms: words that OR joins are one. */
function termsOf(q) {
  const terms = [];
  let joins = false;
  for (const word of wordsOf(q)) {
    if (word === "OR" || joins) terms.push(`${terms.pop() ?? ""} ${word}`.trim());
    else terms.push(word);
    joins = word === "OR";
  }
  return terms;
}

/** The filter with a term added, and its opposite removed; unchanged when the term is in it. */
export function withTerm(q, term) {
  const opposite = term.startsWith("-") ? term.slice(1) : `-${term}`;
  const others = termsOf(q).filter((one) => one !== opposite);
  if (!others.includes(term)) others.push(term);
  return others.join(" ");
}

function go(link, { exclude }, dataset) {
  const term = termOf(link);
  const wanted = exclude && !term.startsWith("-") ? `-${term}` : term;
  location.assign(listAddress(withTerm(dataset.q, wanted), dataset.subscription));
}

/** Wire the box and every `a[data-filter]`, now and later. `body` holds the filter that is shown. */
export function startSearch(body) {
  const form = document.getElementById("search");
  form.addEventListener("submit", () => {
    // Nothing asked for is not worth a place in the address.
    for (const field of form.elements) field.disabled = !field.value && !(field.name === "q" && "hasDefault" in body.dataset);
  });
  addEventListener("pageshow", () => {
    for (const field of form.elements) field.disabled = false;
  });
  document.getElementById("subscription")?.addEventListener("change", () => form.requestSubmit());
  box().addEventListener("keydown", (event) => event.key === "Escape" && box().blur());
  document.addEventListener("click", (event) => {
    const link = event.target instanceof Element ? event.target.closest("a[data-filter]") : null;
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    go(link, { exclude: event.altKey }, body.dataset);
  });
  document.addEventListener("keydown", (event) => {
    const link = event.target instanceof Element ? event.target.closest("a[data-filter]") : null;
    if (!link || event.key !== "-" || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    go(link, { exclude: true }, body.dataset);
  });
}
