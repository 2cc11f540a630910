"""The commands of ``subscope``. Each works on the local cloud and on Google Cloud."""
