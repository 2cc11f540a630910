"""The processes that the local cloud starts.

``supervisor`` keeps them running, ``child_output`` logs their output, ``ports`` finds free ports, ``ready_file`` tells
other programs the addresses, ``reaper`` ends the processes when the local cloud itself was killed.
"""
