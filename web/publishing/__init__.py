"""Publishing by hand and publishing stored messages again.

Its routes are for operators, so they read messages without the mask. Other packages do not import it.
"""
