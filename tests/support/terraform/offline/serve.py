"""Serve stub providers on unix sockets, and point terraform at them (TF_REATTACH_PROVIDERS)."""

import contextlib
import json
import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from concurrent import futures
from typing import Any

import grpc

from tests.support.terraform.offline.emulator import PubsubEmulator
from tests.support.terraform.offline.existing import ExistingResources
from tests.support.terraform.offline.provider import StubProvider

_UNLIMITED = [("grpc.max_send_message_length", -1), ("grpc.max_receive_message_length", -1)]
_HEALTHY = b"\x08\x01"  # HealthCheckResponse: SERVING


@contextlib.contextmanager
def providers(
    schemas: Sequence[Mapping[str, Any]], emulator: str = "", existing: ExistingResources | None = None
) -> Iterator[dict[str, str]]:
    """Serve a provider for each schema; yield the environment variables with which terraform uses them.

    ``emulator`` is the URL of a Pub/Sub emulator in which topics and subscriptions are created. ``existing`` remembers
    what exists; without it, nothing exists at the start.
    """
    pubsub = PubsubEmulator(emulator) if emulator else None
    with contextlib.ExitStack() as stack:
        directory = stack.enter_context(tempfile.TemporaryDirectory(prefix="terraform"))
        attached = {}
        for number, schema in enumerate(schemas):
            provider, address = StubProvider(dict(schema), pubsub, existing), f"{directory}/{number}.sock"
            server = grpc.server(futures.ThreadPoolExecutor(8), options=_UNLIMITED)
            server.add_generic_rpc_handlers((_Calls(provider),))
            server.add_insecure_port(f"unix:{address}")
            server.start()
            stack.callback(_stop, server)
            attached[provider.source] = {
                "Protocol": "grpc",
                "ProtocolVersion": 6,
                "Pid": os.getpid(),
                "Test": True,
                "Addr": {"Network": "unix", "String": address},
            }
        yield {"TF_REATTACH_PROVIDERS": json.dumps(attached), "CHECKPOINT_DISABLE": "1"}


def _stop(server: grpc.Server) -> None:
    server.stop(None).wait()


class _Calls(grpc.GenericRpcHandler):
    """Routes the calls of terraform's protocol, bytes in and bytes out."""

    def __init__(self, provider: StubProvider) -> None:
        self._provider = provider

    def service(self, details: grpc.HandlerCallDetails) -> "grpc.RpcMethodHandler[bytes, bytes] | None":
        service, _, call = details.method.rpartition("/")
        if details.method == "/grpc.health.v1.Health/Check":
            return grpc.unary_unary_rpc_method_handler(lambda _request, _context: _HEALTHY)
        handler = self._provider.handler(call) if service == "/tfplugin6.Provider" else None
        if handler is None:
            return None
        return grpc.unary_unary_rpc_method_handler(lambda request, _: self._provider.answer(handler, request))
