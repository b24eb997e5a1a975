"""docs/reference/wire.md has every service, method, message, field and value of the schema."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from folders import DOCS

pytest.importorskip("google.protobuf", reason="protobuf is not installed")

from google.protobuf.descriptor_pb2 import FieldDescriptorProto

from rvh.rpc.messages import FLAT, SELECTION, files

TEXT = (DOCS / "reference/wire.md").read_text("utf-8")
(SCHEMA,) = [each for each in files() if each.package == SELECTION.rpartition(".")[0]]


def section(name: str) -> str:
    (found,) = re.findall(rf"^### {name}\n(.*?)(?=^##)", TEXT, re.DOTALL | re.MULTILINE)
    return str(found)


def kind(field: Any) -> str:
    if field.type_name.endswith("LabelsEntry"):
        return "map of string to string"
    name = FieldDescriptorProto.Type.Name(field.type).removeprefix("TYPE_").lower()
    name = field.type_name.rpartition(".")[2] or name
    if field.label == FieldDescriptorProto.LABEL_REPEATED:
        return f"repeated {name}"
    return f"optional {name}" if field.proto3_optional else name


def rows(message: Any) -> list[str]:
    return [f"| `{each.name}` | {each.number} | {kind(each)} |" for each in message.field]


@pytest.mark.parametrize("message", SCHEMA.message_type, ids=lambda each: str(each.name))
def test_each_field_of_the_message_is_there(message: Any) -> None:
    found = re.findall(r"^\| `\w+` \| \d+ \| [\w ]+ \|", section(message.name), re.MULTILINE)
    assert found == rows(message)


def test_no_other_message_is_there() -> None:
    names = [each.name for each in (*SCHEMA.message_type, *SCHEMA.enum_type)]
    assert re.findall(r"^### (\w+)$", TEXT, re.MULTILINE) == names


def test_each_value_is_there() -> None:
    (enum,) = SCHEMA.enum_type
    found = re.findall(r"^\| `(\w+)` \| (\d+) \|$", section(enum.name), re.MULTILINE)
    assert found == [(each.name, str(each.number)) for each in enum.value]


def methods() -> Iterator[str]:
    (service,) = SCHEMA.service
    for each in service.method:
        names = [each.input_type.rpartition(".")[2], each.output_type.rpartition(".")[2]]
        streams = (each.client_streaming, each.server_streaming)
        types = [
            f"stream `{name}`" if stream else f"`{name}`"
            for name, stream in zip(names, streams, strict=True)
        ]
        yield f"| `{each.name}` | {types[0]} | {types[1]} |"


def test_each_method_and_service_is_there() -> None:
    found = re.findall(
        r"^\| `\w+` \| (?:stream )?`\w+` \| (?:stream )?`\w+` \|", TEXT, re.MULTILINE
    )
    assert found == [*methods()]
    for name in (SELECTION, FLAT):
        assert f"| `{name}` |" in TEXT
