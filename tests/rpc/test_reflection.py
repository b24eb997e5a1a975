"""Reflection, both versions, asked with the protocol's own messages."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import grpc
import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from rpc_server import calls_of
from small_rpc import serving

from rvh.rpc.health import HEALTH
from rvh.rpc.messages import SELECTION, files, message
from rvh.rpc.reflection import REFLECTION, handlers

SELECTION_FILE = "rvh/v1/selection.proto"
#: a file after those that it imports, as clients take them
IMPORTED = (
    "google/api/annotations.proto",
    "google/api/http.proto",
    "google/protobuf/descriptor.proto",
)
OK, INVALID_ARGUMENT, NOT_FOUND = 0, 3, 5


class Client:
    """Requests on one stream of a version of the protocol."""

    def __init__(self, channel: grpc.Channel, service: str) -> None:
        self.package = service.rpartition(".")[0]
        self.call = calls_of(channel, service).ServerReflectionInfo
        self.extension = message(f"{self.package}.ExtensionRequest")

    def request(self, **fields: Any) -> Any:
        return message(f"{self.package}.ServerReflectionRequest")(**fields)

    def __call__(self, *requests: dict[str, Any]) -> list[Any]:
        return [*self.call(iter([self.request(**fields) for fields in requests]), timeout=20)]

    def files(self, **fields: Any) -> list[str]:
        (response,) = self(fields)
        found = response.file_descriptor_response.file_descriptor_proto
        return [FileDescriptorProto.FromString(each).name for each in found]

    def error(self, **fields: Any) -> tuple[int, str]:
        (response,) = self(fields)
        assert response.WhichOneof("message_response") == "error_response"
        return response.error_response.error_code, response.error_response.error_message


@pytest.fixture(scope="module")
def channel() -> Iterator[grpc.Channel]:
    made = handlers([SELECTION, HEALTH, *REFLECTION])
    with serving(made) as address, grpc.insecure_channel(address) as channel:
        yield channel


@pytest.fixture(params=REFLECTION, ids=["v1", "v1alpha"])
def client(channel: grpc.Channel, request: pytest.FixtureRequest) -> Client:
    return Client(channel, request.param)


def test_lists_the_services_that_it_was_told_of(client: Client) -> None:
    (response,) = client({"list_services": "*", "host": "example"})
    names = [each.name for each in response.list_services_response.service]
    assert names == [HEALTH, *REFLECTION, SELECTION]
    assert response.valid_host == "example"
    assert response.original_request == client.request(list_services="*", host="example")


def test_a_file_comes_with_all_that_it_imports(client: Client) -> None:
    found = client.files(file_by_filename=SELECTION_FILE)
    assert found[0] == SELECTION_FILE
    assert sorted(found[1:]) == [*IMPORTED]


def test_a_client_can_build_every_message(client: Client) -> None:
    (response,) = client({"file_containing_symbol": SELECTION})
    pool, files = DescriptorPool(), response.file_descriptor_response.file_descriptor_proto
    by_name = {FileDescriptorProto.FromString(each).name: each for each in files}

    def add(name: str) -> None:
        if data := by_name.pop(name, None):
            for imported in FileDescriptorProto.FromString(data).dependency:
                add(imported)
            pool.AddSerializedFile(data)

    add(SELECTION_FILE)
    assert by_name == {}
    names = [method.name for method in pool.FindServiceByName(SELECTION).methods]
    assert names == ["Select", "SelectBatch", "SelectStream", "Score", "GetNodes", "WatchNodes"]


@pytest.mark.parametrize(
    ("symbol", "file"),
    [
        (SELECTION, SELECTION_FILE),
        (f"{SELECTION}.SelectBatch", SELECTION_FILE),
        ("rvh.v1.Node", SELECTION_FILE),
        ("rvh.v1.Node.rtt", SELECTION_FILE),
        ("rvh.v1.Node.LabelsEntry", SELECTION_FILE),
        ("rvh.v1.SelectRequest.form", SELECTION_FILE),
        ("rvh.v1.NodeStatus", SELECTION_FILE),
        ("rvh.v1.NODE_STATUS_DEAD", SELECTION_FILE),
        ("google.api.http", "google/api/annotations.proto"),
        ("google.api.HttpRule.get", "google/api/http.proto"),
        ("google.rpc.BadRequest", "google/rpc/error_details.proto"),
        ("grpc.health.v1.HealthCheckResponse.SERVING", "grpc/health/v1/health.proto"),
        ("grpc.reflection.v1.ErrorResponse", "grpc/reflection/v1/reflection.proto"),
    ],
)
def test_symbols(client: Client, symbol: str, file: str) -> None:
    assert client.files(file_containing_symbol=symbol)[0] == file


def test_extensions(client: Client) -> None:
    options = "google.protobuf.MethodOptions"
    (response,) = client({"all_extension_numbers_of_type": options})
    numbers = response.all_extension_numbers_response
    assert (numbers.base_type_name, [*numbers.extension_number]) == (options, [72295728])
    (response,) = client({"all_extension_numbers_of_type": "rvh.v1.Node"})
    assert [*response.all_extension_numbers_response.extension_number] == []
    asked = client.extension(containing_type=options, extension_number=72295728)
    assert client.files(file_containing_extension=asked)[0] == "google/api/annotations.proto"


def test_what_is_not_there(client: Client) -> None:
    assert client.error(file_by_filename="a.proto") == (
        NOT_FOUND,
        "file_by_filename: this server has no file 'a.proto'",
    )
    # Its messages are FlatBuffers: no file describes it.
    assert client.error(file_containing_symbol="rvh.v1.flat.Selection") == (
        NOT_FOUND,
        "file_containing_symbol: this server has no symbol 'rvh.v1.flat.Selection'",
    )
    assert client.error(all_extension_numbers_of_type="rvh.v1.Edge") == (
        NOT_FOUND,
        "all_extension_numbers_of_type: this server has no type 'rvh.v1.Edge'",
    )
    asked = client.extension(containing_type="rvh.v1.Node", extension_number=7)
    assert client.error(file_containing_extension=asked) == (
        NOT_FOUND,
        "file_containing_extension: this server has no extension 7 of 'rvh.v1.Node'",
    )
    assert client.error(host="h") == (INVALID_ARGUMENT, "message_request: nothing is asked for")


def test_an_error_does_not_end_the_stream(client: Client) -> None:
    responses = client(
        {"file_containing_symbol": "nobody.Has.This"}, {"list_services": ""}, {"host": "h"}
    )
    kinds = [each.WhichOneof("message_response") for each in responses]
    assert kinds == ["error_response", "list_services_response", "error_response"]


def test_malformed_bytes_are_the_callers_mistake(channel: grpc.Channel) -> None:
    for service in REFLECTION:
        call = channel.stream_stream(f"/{service}/ServerReflectionInfo")
        with pytest.raises(grpc.RpcError) as caught:
            [*call(iter([b"\xff\xff"]), timeout=20)]
        assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
        assert caught.value.details().startswith("these bytes are not a grpc.reflection.v1")


def test_every_declared_name_is_found_by_protobuf_in_that_file(client: Client) -> None:
    for file in files():
        for declared in (*file.message_type, *file.enum_type, *file.service):
            name = f"{file.package}.{declared.name}"
            assert client.files(file_containing_symbol=name)[0] == file.name, name
