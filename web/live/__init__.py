"""The live stream: every new message and state, from Firestore to the browsers' EventSource.

::

    Firestore
        │ Listen stream
    listener          keeps one stream open and passes on each new message once (listen_window)
        │
    feed              runs the listener while at least one client is connected
        │
    recent_messages   holds the last messages in memory, with a number for each
        │
    client_feed       chooses the frames of one client (client_filter), encoded once for all clients (frame_cache),
        │             and first those that it missed (catch_up)
    held_frames       bounds the memory of frames that wait for their clients
    connections       limits the open responses, sends keep-alives, closes dead connections
        │
    views             GET /live: Server-Sent Events (sse); masked rows for viewers (masked_rows)
"""
