// After a form, the page's address names a notice. Remove it once shown, so that a reload, Back or a copied link does
// not show it again.

const address = new URL(location.href);
if (address.searchParams.has("notice")) {
  for (const name of ["notice", "about", "name"]) address.searchParams.delete(name);
  history.replaceState(history.state, "", address);
}
