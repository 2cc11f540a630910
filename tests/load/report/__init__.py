"""The report of one run: plots, and a page that holds everything and needs no network."""
