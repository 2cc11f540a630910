"""Values that a filter compares by size: numbers, times, and what is measured of a message. Pure."""
