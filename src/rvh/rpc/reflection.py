"""Server reflection, by which clients such as grpcurl need no .proto files.

The protocol: https://github.com/grpc/grpc/blob/master/doc/server-reflection.md. Both versions of
it are served; they differ in their names only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import cache
from typing import Any, NamedTuple

import grpc

from rvh.errors import show
from rvh.rpc.handlers import Limited, generic_handler
from rvh.rpc.messages import files, message

__all__ = ["REFLECTION", "handlers"]

#: the versions, as services
REFLECTION = (
    "grpc.reflection.v1.ServerReflection",
    "grpc.reflection.v1alpha.ServerReflection",
)

#: where a declaration has other declarations in it
PARTS = (
    *("message_type", "nested_type", "enum_type", "service", "extension"),
    *("field", "oneof_decl", "value", "method"),
)


class _Index(NamedTuple):
    """Which file has what: by its own name, by a symbol, by a type and the number of an extension.

    It is made of the files: the pool of some versions of protobuf does not know methods.
    """

    files: dict[str, Any]
    symbols: dict[str, Any]
    extensions: dict[tuple[str, int], Any]


@cache
def _index() -> _Index:
    made = _Index({file.name: file for file in files()}, {}, {})
    for file in files():
        for name, declaration in _declarations(file.package, file):
            made.symbols[name] = file
            if extendee := getattr(declaration, "extendee", ""):
                made.extensions[extendee.removeprefix("."), declaration.number] = file
    return made


def _declarations(scope: str, declaration: Any) -> Iterator[tuple[str, Any]]:
    """Give each declaration in this one, with its full name."""
    for part in PARTS:
        for each in getattr(declaration, part, ()):
            name = f"{scope}.{each.name}"
            yield name, each
            # The values of an enum are names beside it.
            yield from _declarations(scope if part == "enum_type" else name, each)


class _NotFoundError(Exception):
    """Something that no file declares."""


def handlers(services: Iterable[str], limited: Limited | None = None) -> tuple[Any, ...]:
    """Return the handlers for `grpc.Server.add_generic_rpc_handlers`.

    Parameters
    ----------
    services : iterable of str
        The full names that are listed.
    limited : callable, optional
        Makes of the method one that refuses a call where there are too many streams.
    """
    listed = sorted(services)

    def made(service: str) -> Any:
        package = service.rpartition(".")[0]
        answer = _answering(package, listed)
        behaviors = {"ServerReflectionInfo": lambda requests, context: map(answer, requests)}
        return generic_handler(service, behaviors, limited)

    return tuple(map(made, REFLECTION))


def _answering(package: str, listed: list[str]) -> Callable[[Any], Any]:
    """Return the function that answers one request of a version of the protocol."""
    response = message(f"{package}.ServerReflectionResponse")

    def answer(request: Any) -> Any:
        made = response(valid_host=request.host, original_request=request)
        kind = request.WhichOneof("message_request")
        asked: Any = getattr(request, kind) if kind else None
        try:
            if kind == "list_services":
                made.list_services_response.SetInParent()
                for name in listed:
                    made.list_services_response.service.add(name=name)
            elif kind == "all_extension_numbers_of_type":
                made.all_extension_numbers_response.base_type_name = asked
                made.all_extension_numbers_response.extension_number.extend(_numbers(asked))
            elif kind:
                found = [file.SerializeToString() for file in _with_imports(_file(kind, asked))]
                made.file_descriptor_response.file_descriptor_proto.extend(found)
            else:
                made.error_response.error_code = grpc.StatusCode.INVALID_ARGUMENT.value[0]
                made.error_response.error_message = "message_request: nothing is asked for"
        except _NotFoundError as error:
            made.error_response.error_code = grpc.StatusCode.NOT_FOUND.value[0]
            made.error_response.error_message = f"{kind}: {error}"
        return made

    return answer


def _file(kind: str, asked: Any) -> Any:
    """Find the one file that a request is about."""
    index = _index()
    if kind == "file_by_filename":
        file, what = index.files.get(asked), f"file {show(asked)}"
    elif kind == "file_containing_symbol":
        file, what = index.symbols.get(asked), f"symbol {show(asked)}"
    else:
        type_, number = asked.containing_type, asked.extension_number
        file, what = index.extensions.get((type_, number)), f"extension {number} of {show(type_)}"
    if file is None:
        raise _NotFoundError(f"this server has no {what}")
    return file


def _with_imports(file: Any) -> list[Any]:
    """Return a file, then all that it imports, and those import."""
    found = [file]
    for each in found:  # it grows meanwhile
        imported = [_index().files[name] for name in each.dependency]
        found += [one for one in imported if one not in found]
    return found


def _numbers(type_: str) -> list[int]:
    """Return the numbers of all extensions of a type."""
    if type_ not in _index().symbols:
        raise _NotFoundError(f"this server has no type {show(type_)}")
    return sorted(number for extended, number in _index().extensions if extended == type_)
