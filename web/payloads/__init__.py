"""One payload as HTML: JSON tree, coloured text, hex, decoded packings, protocol buffers. Pure, no I/O.

``render`` chooses the views and draws one of them with the other modules.
"""
