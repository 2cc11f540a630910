"""The differences between two payloads: of JSON by path, of text by line, of other data by byte. Pure and bounded.

``json_diff`` compares JSON values, ``json_patch`` writes the result as RFC 6902, ``edits`` compares lines and bytes,
``sequences`` aligns all of them, and ``payloads`` chooses. ``effort`` bounds the work: beyond it a result is coarser,
never wrong, and names the bound.
"""
