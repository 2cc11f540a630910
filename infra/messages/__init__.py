"""One message: its fields as pushed and as stored, its JSON, and masking. Pure, no I/O."""
