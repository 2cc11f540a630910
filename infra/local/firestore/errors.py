"""Errors as the service answers them: one function for each gRPC status of this package."""

import grpc

from infra.local.rpc import RpcError


def invalid_argument(sentence: str) -> RpcError:
    return RpcError(grpc.StatusCode.INVALID_ARGUMENT, sentence)


def not_found(sentence: str) -> RpcError:
    return RpcError(grpc.StatusCode.NOT_FOUND, sentence)


def already_exists(sentence: str) -> RpcError:
    return RpcError(grpc.StatusCode.ALREADY_EXISTS, sentence)


def failed_precondition(sentence: str) -> RpcError:
    return RpcError(grpc.StatusCode.FAILED_PRECONDITION, sentence)


def aborted(sentence: str) -> RpcError:
    return RpcError(grpc.StatusCode.ABORTED, sentence)


def resource_exhausted(sentence: str) -> RpcError:
    return RpcError(grpc.StatusCode.RESOURCE_EXHAUSTED, sentence)
