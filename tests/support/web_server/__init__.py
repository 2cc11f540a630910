"""A small application behind the viewer's worker, and clients that send and read as they please."""
