// After a form its address makes the page say what happened. That is said once, not again by a reload, Back or a link.

const address = new URL(location.href);
if (address.searchParams.has("notice")) {
  for (const name of ["notice", "about", "name"]) address.searchParams.delete(name);
  history.replaceState(history.state, "", address);
}
