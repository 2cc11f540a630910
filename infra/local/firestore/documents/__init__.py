"""Documents, their names, field paths and values in Firestore's order: plain values, without a store."""
