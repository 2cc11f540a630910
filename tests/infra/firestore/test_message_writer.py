"""Requests put together from their parts are those that Google's own classes would send."""

from typing import Any

import pytest
from google.cloud.firestore_v1 import types

from infra.firestore.message_writer import with_writes

_Write: Any = types.Write.pb()


@pytest.mark.parametrize("kind", [types.CommitRequest.pb(), types.BatchWriteRequest.pb()], ids=["Commit", "BatchWrite"])
@pytest.mark.parametrize("sizes", [[], [0], [1, 127, 128, 300], [16_000, 20_000, 3_000_000]])
def test_writes_are_framed_as_protobuf_frames_them(kind: Any, sizes: list[int]) -> None:
    writes = [_Write(delete="x" * size) for size in sizes]
    expected = kind(database="projects/p/databases/(default)", writes=writes)
    assert kind.FromString(with_writes(kind(database=expected.database), iter(writes))) == expected
