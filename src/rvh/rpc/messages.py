"""The messages of the wire: classes made of the descriptor set, without generated code.

A generated ``_pb2.py`` works with one major version of protobuf. ``service.binpb`` is what `protoc`
makes of ``protos/``, and every version makes classes of it. They are in a pool of their own, so a
program may have other versions of the same files, such as those of grpcio-health-checking.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from importlib import resources
from typing import Any, NamedTuple

from google.protobuf import descriptor_pb2, message_factory
from google.protobuf.descriptor_pool import DescriptorPool

from rvh._runtime.shared import Guard

__all__ = ["FLAT", "SELECTION", "Method", "descriptor_set", "files", "message", "methods", "pool"]

#: the service, and the one whose messages are FlatBuffers
SELECTION = "rvh.v1.Selection"
FLAT = "rvh.v1.flat.Selection"


class Method(NamedTuple):
    """A method of a service.

    Parameters
    ----------
    path : str
        As gRPC names it, ``/rvh.v1.Selection/Select``.
    name : str
        The last part.
    request, response : type
        The classes of the messages.
    takes_stream, gives_stream : bool
        Whether requests and responses are streams.
    """

    path: str
    name: str
    request: Any
    response: Any
    takes_stream: bool
    gives_stream: bool


def descriptor_set() -> bytes:
    """Return the descriptor set as `protoc` has written it, for gateways."""
    return resources.files("rvh.rpc").joinpath("service.binpb").read_bytes()


@cache
def files() -> tuple[Any, ...]:
    """Return the FileDescriptorProto of each file, those that others import first."""
    return tuple(descriptor_pb2.FileDescriptorSet.FromString(descriptor_set()).file)


def pool() -> Any:
    """Return the pool that has all these files and nothing else."""
    return _POOL


@cache
def message(name: str) -> Any:
    """Return the class of a message by its full name.

    Examples
    --------
    >>> from rvh.rpc.messages import message
    >>> message("rvh.v1.SelectRequest")(text="user:1", k=2).k
    2
    """
    with _guard.lock:  # two threads at once would make two classes, which do not mix
        return message_factory.GetMessageClass(_POOL.FindMessageTypeByName(name))


def _filled() -> Any:
    made = DescriptorPool()
    for file in files():
        made.AddSerializedFile(file.SerializeToString())
    return made


_guard = Guard()
#: made by the import, which happens once, whatever threads there are
_POOL = _filled()


def methods(service: str) -> Iterator[Method]:
    """List the methods of a service by its full name."""
    for method in pool().FindServiceByName(service).methods:
        proto = descriptor_pb2.MethodDescriptorProto()
        method.CopyToProto(proto)
        yield Method(
            f"/{service}/{method.name}",
            method.name,
            message(method.input_type.full_name),
            message(method.output_type.full_name),
            proto.client_streaming,
            proto.server_streaming,
        )
