"""Firestore: connections, messages in and out, and writes under a precondition.

``client`` connects; ``encoding`` and ``error_mapping`` translate at the border. ``message_writer`` stores messages
(with ``async_calls``); ``message_reader`` and ``search`` read them, ``listen`` follows them live.
``compare_and_set`` changes documents that several writers change.
"""
