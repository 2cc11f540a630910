"""The timeline above the list: the messages of each minute of the last hour, and the pauses of delivery."""
