"""The timeline above the list: the messages of a filter over a span, in layers, and the pauses of delivery."""
