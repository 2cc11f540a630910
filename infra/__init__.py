"""What the receiver and the viewer share: types and adapters. Imports neither of them."""
