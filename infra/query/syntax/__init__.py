"""From the words of a filter to its terms: one file for each form of a term, and the parser of groups. Pure."""
