"""One payload, drawn: JSON tree, highlighted text, hex, decoded protocol buffers. Pure, no I/O."""
