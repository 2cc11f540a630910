"""Types and adapters that the receiver and the viewer share. Imports neither of them."""
