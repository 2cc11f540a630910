"""The speed of the local Firestore: pages, batch writes and listened changes over real gRPC on this machine.

Run it with ``python -m tests.benchmarks.local_firestore``. It prints and asserts nothing.
"""

import asyncio
import multiprocessing
import statistics
import time
from collections.abc import AsyncIterable, Awaitable, Callable
from multiprocessing.connection import Connection
from typing import Any

import grpc
from google.cloud.firestore_v1.types import document, firestore

from infra.local.firestore import SERVER_OPTIONS, FirestoreServer

DATABASE = "projects/benchmark/databases/(default)"
SHARDS = 4
TOKENS = 8

BatchWriteRequest: Any = firestore.BatchWriteRequest.pb()
BatchWriteResponse: Any = firestore.BatchWriteResponse.pb()
GetDocumentRequest: Any = firestore.GetDocumentRequest.pb()
ListenRequest: Any = firestore.ListenRequest.pb()
ListenResponse: Any = firestore.ListenResponse.pb()
RunAggregationQueryRequest: Any = firestore.RunAggregationQueryRequest.pb()
RunAggregationQueryResponse: Any = firestore.RunAggregationQueryResponse.pb()
RunQueryRequest: Any = firestore.RunQueryRequest.pb()
RunQueryResponse: Any = firestore.RunQueryResponse.pb()
Document: Any = document.Document.pb()


class Wire:
    """The Firestore RPCs without the client's own cost."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        prefix = "/google.firestore.v1.Firestore/"
        serialize = lambda message: message.SerializeToString()  # noqa: E731
        self.batch_write = channel.unary_unary(prefix + "BatchWrite", serialize, BatchWriteResponse.FromString)
        self.get = channel.unary_unary(prefix + "GetDocument", serialize, Document.FromString)
        self.query = channel.unary_stream(prefix + "RunQuery", serialize, RunQueryResponse.FromString)
        self.count = channel.unary_stream(
            prefix + "RunAggregationQuery", serialize, RunAggregationQueryResponse.FromString
        )
        self.listen = channel.stream_stream(prefix + "Listen", serialize, ListenResponse.FromString)


def serve(pipe: Connection) -> None:
    async def run() -> None:
        server = grpc.aio.server(options=SERVER_OPTIONS)
        FirestoreServer().add_to(server)
        pipe.send(server.add_insecure_port("127.0.0.1:0"))
        await server.start()
        await server.wait_for_termination()

    asyncio.run(run())


def batch(first: int, size: int, collection: str = "messages") -> Any:
    request = BatchWriteRequest(database=DATABASE)
    for number in range(first, first + size):
        write = request.writes.add()
        fields = write.update.fields
        # Ids are spread as the hashed ids of real messages are.
        write.update.name = f"{DATABASE}/documents/{collection}/{number * 2654435761 % 2**32:08x}{number:024x}"
        fields["subscription"].string_value = "orders" if number % 2 else "invoices"
        fields["message_id"].string_value = str(number)
        fields["kind"].string_value = "json"
        fields["preview"].string_value = '{"order": 17, "state": "shipped"}' * 6
        fields["data"].bytes_value = b'{"order": 17, "state": "shipped"}' * 6
        fields["shard"].integer_value = number % SHARDS
        fields["size_bytes"].integer_value = 200
        fields["attributes"].map_value.fields["kind"].string_value = "build"
        for token in range(TOKENS):
            fields["tokens"].array_value.values.add(string_value=f"key{token}={number % (10**token)}")
        transform = write.update_transforms.add(field_path="received_at")
        transform.set_to_server_value = 1
        write.current_document.exists = False
    return request


def page(*, token: str | None = None, cursor: Any = None) -> Any:
    request = RunQueryRequest(parent=f"{DATABASE}/documents")
    query = request.structured_query
    query.from_.add(collection_id="messages")
    query.where.composite_filter.op = 1
    parts = query.where.composite_filter.filters
    shards = parts.add().field_filter
    shards.field.field_path, shards.op = "shard", 8
    for shard in range(SHARDS):
        shards.value.array_value.values.add(integer_value=shard)
    subscription = parts.add().field_filter
    subscription.field.field_path, subscription.op = "subscription", 5
    subscription.value.string_value = "orders"
    if token:
        contains = parts.add().field_filter
        contains.field.field_path, contains.op, contains.value.string_value = "tokens", 7, token
    query.order_by.add(direction=2).field.field_path = "received_at"
    query.limit.value = 50
    if cursor is not None:
        query.start_at.values.add().CopyFrom(cursor.fields["received_at"])
        query.start_at.values.add().reference_value = cursor.name
    return request


async def timed(label: str, call: Callable[[], Awaitable[object]], rounds: int = 30) -> None:
    times = []
    for _ in range(rounds):
        started = time.perf_counter()
        await call()
        times.append((time.perf_counter() - started) * 1000)
    print(f"  {label:46} first {times[0]:8.1f} ms, then median {statistics.median(times[1:]):6.2f} ms")


async def read_pages(wire: Wire) -> None:
    async def one(request: Any) -> list[Any]:
        return [response.document async for response in wire.query(request)]

    first = await one(page())
    await timed("page of 50, newest", lambda: one(page()))
    await timed("page of 50, after a cursor", lambda: one(page(cursor=first[-1])))
    await timed("page of 50, with a token", lambda: one(page(token="key1=3")))
    await timed("page of 50, with a rare token, after a cursor", lambda: one(page(token="key5=333", cursor=first[-1])))
    counted = RunAggregationQueryRequest(parent=f"{DATABASE}/documents")
    counted.structured_aggregation_query.structured_query.CopyFrom(page().structured_query)
    counted.structured_aggregation_query.structured_query.ClearField("limit")
    counted.structured_aggregation_query.aggregations.add().count.SetInParent()
    await timed("count of the same", lambda: drain(wire.count(counted)))
    await timed("one document", lambda: wire.get(GetDocumentRequest(name=first[0].name)), 200)


async def drain(stream: AsyncIterable[Any]) -> list[Any]:
    return [response async for response in stream]


async def write(wire: Wire, first: int, count: int, size: int) -> None:
    requests = [batch(start, size) for start in range(first, first + count, size)]
    started = time.perf_counter()
    for request in requests:
        await wire.batch_write(request)
    print(f"  batches of {size:3}: {count / (time.perf_counter() - started):8,.0f} documents/s")


async def listen(wire: Wire, count: int) -> None:
    call: Any = wire.listen()
    request = ListenRequest(database=DATABASE)
    request.add_target.target_id = 1
    request.add_target.query.parent = f"{DATABASE}/documents"
    request.add_target.query.structured_query.from_.add(collection_id="listened")
    await call.write(request)
    while (await call.read()).target_change.target_change_type != 3:
        pass
    requests = [batch(start, 50, "listened") for start in range(0, count, 50)]
    started = time.perf_counter()
    writing = asyncio.create_task(write_all(wire, requests))
    seen = 0
    while seen < count:
        seen += (await call.read()).HasField("document_change")
    print(f"  written and listened to: {count / (time.perf_counter() - started):8,.0f} documents/s")
    await writing
    call.cancel()


async def write_all(wire: Wire, requests: list[Any]) -> None:
    for request in requests:
        await wire.batch_write(request)


async def measure(port: int) -> None:
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        wire = Wire(channel)
        print("1,000 documents")
        await write(wire, 0, 1000, 50)
        await read_pages(wire)
        print("100,000 documents")
        await write(wire, 1000, 49_000, 400)
        await write(wire, 50_000, 50_000, 50)
        await read_pages(wire)
        print("one listener")
        await listen(wire, 10_000)


def main() -> None:
    ours, theirs = multiprocessing.Pipe()
    server = multiprocessing.get_context("spawn").Process(target=serve, args=(theirs,))
    server.start()
    try:
        asyncio.run(measure(ours.recv()))
    finally:
        server.terminate()
        server.join()


if __name__ == "__main__":
    main()
