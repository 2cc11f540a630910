"""The timeline above the list: messages a minute, and when delivery was stopped."""
