"""Load and chaos from outside: publish, watch, break, and compare with the local cloud's own journal.

``python -m tests.load L1`` runs one stage; docs/reliability.md explains the stages. ``cloud`` is the system under test,
``actors`` load and break it, ``watch`` samples it, ``check`` judges it by the journal, ``report`` draws it.
"""
