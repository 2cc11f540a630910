"""Documents, their names and field paths, and the order of their values: plain values, without a store."""
