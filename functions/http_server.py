"""Settings of the HTTP server for which functions-framework has no option."""

from uvicorn_worker import UvicornWorker

# gunicorn's default is two seconds. Pub/Sub reuses connections: a push that arrives while one is being closed gets no
# answer and comes again later. Refusals of strangers close their connection at once.
KEEP_ALIVE_SECONDS = 75


def keep_connections() -> None:
    """Keep an idle connection as long as the viewer does; call it before functions-framework starts its workers."""
    UvicornWorker.CONFIG_KWARGS = {**UvicornWorker.CONFIG_KWARGS, "timeout_keep_alive": KEEP_ALIVE_SECONDS}
