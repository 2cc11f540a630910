"""The receiver: verifies a push, stores its message and answers Pub/Sub.

``receiver`` checks one request: ``tokens`` the token, ``request_body`` and ``envelope`` the body.
``group_commit`` stores the message through ``batch_queue`` and ``batch_sender``, in calls that requests share.
"""
