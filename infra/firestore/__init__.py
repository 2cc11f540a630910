"""Firestore, spoken through Google's client: connections, errors, values, reads, writes and the listener."""
