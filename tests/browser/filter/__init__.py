"""The filter box in a browser: suggestions, the explanation, and stopping a search."""
