"""The viewer's web server: a gunicorn worker in which a connection that does not send or read holds no thread.

gunicorn's master imports it before the fork, so it imports nothing of the viewer and no gRPC::

    worker            gives complete requests to threads; reads, sends and closes without one
    connection        one connection: its request and its answer, as far as they are here
    waiting           the connections without a thread, and their deadlines
    request_bytes     tells when a request has arrived; pure
    lanes             tells which requests share few threads; pure
    client_socket     the socket of a client, with deadlines for the threads
    refusals          the answers of requests that get no thread; pure
    threads           the parts of the reserve of threads; imports nothing
    outbox            keeps a short answer until the client reads it
"""
