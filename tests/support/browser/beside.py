"""A second viewer of a local cloud, with other settings."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.local_cloud import Cloud
from tests.support.viewer.process import Server

LABEL = "PROD eu"


class Beside(Cloud):
    """A local cloud with another viewer."""

    def __init__(self, cloud: Cloud, viewer: str) -> None:
        self.__dict__.update(cloud.__dict__)
        self._first = {**cloud.ready(), "viewer": viewer}


@contextmanager
def viewer_beside(cloud: Cloud, directory: Path, **environ: str) -> Iterator[Cloud]:
    """Run another viewer of the cloud with these variables; its output goes to a file in ``directory``."""
    output = directory / "viewer.txt"
    server = Server(cloud["firestore"], output, "web:create_app()", cloud.environ | environ)
    try:
        yield Beside(cloud, f"http://127.0.0.1:{server.port}")
    finally:
        server.kill()
