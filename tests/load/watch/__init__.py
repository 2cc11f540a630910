"""The samples of each second: the journal, the processes, the streams."""
