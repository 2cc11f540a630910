"""The local cloud as a system to break: ``python -m tests.load.cloud`` is ``python -m infra.local`` with faults.

It replaces parts of the local cloud before that starts; the product runs as it is, unless a mutant is asked for.
"""
